"""`/ui/system`: how the service and everything around it stands."""

from __future__ import annotations

import platform
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import Response

from ewms import __version__
from ewms.wms.access.caller import CallerOf
from ewms.wms.access.roles import OPERATE, Role
from ewms.wms.service.readiness import readiness
from ewms.wms.service.routes.api.clusters import list_clusters, list_sites
from ewms.wms.service.routes.api.tokens import list_tokens
from ewms.wms.service.state import ServiceState, State
from ewms.wms.web.pages import pages_of

router = APIRouter(include_in_schema=False)


@router.get("/ui/system")
async def show_system(request: Request, state: State, caller: CallerOf) -> Response:
    """Health in words, brokers and stores, driver hosts, clusters, sites; for operators, tokens."""
    is_operator = OPERATE.roles is not None and caller.role in OPERATE.roles
    values = {
        "health": await readiness(state, request.app.state.troubles),
        "hosts": (await state.vitals.look()).hosts,
        "lease": state.configuration.service.lease,
        "parts": _parts(state),
        "clusters": (await list_clusters(state, caller)).items,
        "sites": (await list_sites(state, caller)).items,
        "tokens": (await list_tokens(state, caller)).items if is_operator else [],
        "roles": [role.value for role in Role],
        "now": state.clock(),
    }
    return pages_of(request).page(request, caller, "system.html", values)


def _parts(state: ServiceState) -> dict[str, Any]:
    """What the service is made of, without credentials or paths."""
    service, capabilities = state.configuration.service, state.broker.capabilities
    broker = urlsplit(service.broker.get_secret_value()) if service.broker is not None else None
    store = urlsplit(service.store_url)
    login = "nobody logs in" if state.access.is_open else "tokens of this service"
    address = f"{broker.hostname}:{broker.port}" if broker is not None and broker.port else ""
    return {
        "Version": __version__,
        "Python": platform.python_version(),
        "Address": service.public_url,
        "Store": "MongoDB" if store.scheme.startswith("mongodb") else "SQLite",
        "Broker": f"{broker.scheme if broker is not None else 'none'} {address}".strip(),
        "Largest message": capabilities.max_message_bytes,
        "Lease": service.lease,
        "Login": state.configuration.access.issuer or login,
    }

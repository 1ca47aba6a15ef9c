"""The service as an ASGI application."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Depends, FastAPI

from ewms import __version__
from ewms.wms.access.caller import admitted
from ewms.wms.service import errors
from ewms.wms.service.body_limit import BodyLimit
from ewms.wms.service.plugin import ServicePlugin, plugin_app
from ewms.wms.service.requests import Requests
from ewms.wms.service.routes import api, health, v1
from ewms.wms.service.state import ServiceState


def create_app(
    state: ServiceState,
    troubles: Mapping[str, str] | None = None,
    plugins: Mapping[str, ServicePlugin] | None = None,
) -> FastAPI:
    """All routes over one state, which is open for as long as the app serves.

    Parameters
    ----------
    troubles
        Why loops beside the routes do not run for now, by name.
    plugins
        Of other distributions, by the prefixes of their paths.
    """
    app = FastAPI(title="ewms", version=__version__, redirect_slashes=False, dependencies=[Depends(admitted)])
    app.state.service = state
    app.state.troubles = {} if troubles is None else troubles
    errors.install(app)
    app.add_middleware(BodyLimit, limit=state.configuration.service.max_request)
    app.add_middleware(Requests, metrics=state.metrics)
    for router in (health.router, *api.routers, *v1.routers):
        app.include_router(router)
    for prefix, plugin in (plugins or {}).items():
        app.mount(f"/{prefix}", plugin_app(plugin, state))
    return app

"""Who calls a route, as dependencies of FastAPI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers

from ewms.core.addresses import is_loopback
from ewms.core.errors import Unauthenticated
from ewms.wms.access.roles import RULES, Role, require, rule_of

if TYPE_CHECKING:
    from ewms.wms.access.access import Access

_documented = HTTPBearer(auto_error=False, description="Of the OpenID provider, or made by `ewms token create`.")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody whose token was checked."""

    name: str
    """Owns what the caller makes."""
    role: Role
    """What they may do."""


async def admitted(request: Request) -> Caller | None:
    """Who calls a route that is for them; None where everybody is let in.

    A dependency of the whole app: no route is without a rule.
    """
    rule = rule_of(request.method, request.scope["route"].path, getattr(request.app.state, "rules", RULES))
    if rule.roles is None:
        return None
    access: Access = request.app.state.service.access
    caller = await access.identify(request.headers.get("Authorization"), is_foreign=_is_foreign(request.headers))
    require(caller.name, caller.role, rule)
    return caller


def _is_foreign(headers: Headers) -> bool:
    """Whether a browser sends it for a page of elsewhere: it does so for any page, to this machine as to others."""
    try:
        names = [urlsplit(f"//{headers.get('Host', '')}").hostname]
        names += [urlsplit(origin).hostname for origin in headers.getlist("Origin")]
    except ValueError:
        return True
    return not all(is_loopback(name or "") for name in names)


async def caller_of(
    caller: Annotated[Caller | None, Depends(admitted)], _: Annotated[object, Depends(_documented)]
) -> Caller:
    """Who calls; for routes that are not for everybody."""
    if caller is None:
        raise Unauthenticated
    return caller


CallerOf = Annotated[Caller, Depends(caller_of)]

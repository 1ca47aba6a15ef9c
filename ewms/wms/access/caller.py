"""Who calls a route, as dependencies of FastAPI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers

from ewms.core.addresses import is_loopback
from ewms.core.errors import Forbidden, Unauthenticated
from ewms.wms.access.roles import RULES, Role, require, rule_of
from ewms.wms.access.session import SAFE, cookie_token, is_of_elsewhere, is_of_this_site

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
    caller = await _identified(request)
    request.state.caller = caller  # for the page that says that they may not
    require(caller.name, caller.role, rule)
    return caller


async def _identified(request: Request) -> Caller:
    """Who calls, by the header or by a browser's session; the latter changes things from pages of this service alone."""
    access: Access = request.app.state.service.access
    headers = request.headers
    authorization = headers.get("Authorization")
    if authorization is None and not access.is_open and (token := cookie_token(request)) is not None:
        if request.method not in SAFE and not is_of_this_site(headers, access.public_url):
            raise Forbidden("a browser's session changes things from pages of this service alone; send a token instead")
        authorization = f"Bearer {token}"
    return await access.identify(authorization, is_foreign=_is_foreign(request.method, headers))


def _is_foreign(method: str, headers: Headers) -> bool:
    """Whether a browser sends it for a page of elsewhere: it does so for any page, to this machine as to others."""
    if method not in SAFE and is_of_elsewhere(headers):
        return True
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

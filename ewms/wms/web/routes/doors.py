"""`/ui/login` and `/ui/logout`: how a browser is let in and out."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from ewms.core.errors import EwmsError, Forbidden, Unauthenticated
from ewms.wms.access.caller import CallerOf
from ewms.wms.access.session import cookie_name, cookie_token, is_of_this_site
from ewms.wms.service.errors import code_of
from ewms.wms.service.state import ServiceState, State
from ewms.wms.web.pages import pages_of

router = APIRouter(include_in_schema=False)
_HOME = "/ui/workflows"
_LONGEST = 16_384
Next = Annotated[str, Query(max_length=4000)]


class LoginCode(BaseModel):
    """Lets one browser in, once."""

    model_config = ConfigDict(frozen=True)

    url: str
    """Page that does so; good for ten minutes."""


@router.get("/")
@router.get("/ui/")
async def home() -> Response:
    """The first page."""
    return RedirectResponse(_HOME, HTTPStatus.SEE_OTHER)


@router.get("/ui/login")
async def login_page(request: Request, state: State, code: str = "", next: Next = "") -> Response:
    """Where a token is given; with a one-time code, the browser is let in at once."""
    if state.access.is_open:
        return RedirectResponse(_local(next), HTTPStatus.SEE_OTHER)
    if not code:
        return _form(request, state, next, "", HTTPStatus.OK)
    try:
        token = state.access.codes.redeem(code)
    except Unauthenticated as error:
        return _form(request, state, next, str(error), HTTPStatus.UNAUTHORIZED)
    response = pages_of(request).page(request, None, "again.html", {"target": _local(next)})
    await _let_in(request, state, response, token)
    return response


@router.post("/ui/login")
async def log_in(request: Request, state: State) -> Response:
    """Take a token from the form of the page."""
    if not is_of_this_site(request.headers, state.access.public_url):
        raise Forbidden("log in from the page of this service")
    body = await request.body()
    if len(body) > _LONGEST:
        raise Forbidden("this is no token: it is too long")
    fields = parse_qs(body.decode(errors="replace"))
    token, then = (fields.get(name, [""])[0].strip() for name in ("token", "next"))
    response = RedirectResponse(_local(then), HTTPStatus.SEE_OTHER)
    try:
        await _let_in(request, state, response, token)
    except EwmsError as error:
        return _form(request, state, then, str(error) or "paste a token", code_of(error))
    return response


@router.post("/ui/logout")
async def log_out(request: Request, state: State) -> Response:
    """End the browser's session."""
    if not is_of_this_site(request.headers, state.access.public_url):
        raise Forbidden("log out from a page of this service")
    if token := cookie_token(request):
        await state.access.end_session(token)
    response = RedirectResponse("/ui/login", HTTPStatus.SEE_OTHER)
    response.delete_cookie(cookie_name(request.headers))
    return response


@router.post("/ui/login/code")
async def make_code(request: Request, state: State, caller: CallerOf) -> LoginCode:
    """A one-time code with which a browser becomes who asks for it: for programs that have a token."""
    _, _, token = request.headers.get("Authorization", "").partition(" ")
    if not token:
        raise Forbidden("ask for it with a token")
    return LoginCode(url=f"{state.access.public_url}/ui/login?code={state.access.codes.code_for(token.strip())}")


async def _let_in(request: Request, state: ServiceState, response: Response, token: str) -> None:
    session = await state.access.begin_session(token)
    is_secure = request.url.scheme == "https" or state.access.public_url.startswith("https:")
    response.set_cookie(
        cookie_name(request.headers),
        session.token,
        max_age=int(session.seconds),
        httponly=True,
        samesite="strict",
        secure=is_secure,
    )


def _form(request: Request, state: ServiceState, then: str, trouble: str, code: int) -> Response:
    values = {
        "next": _local(then),
        "trouble": trouble,
        "issuer": state.configuration.access.issuer,
        "operator_token": state.configuration.service.data / "secrets" / "operator.token",
    }
    return pages_of(request).page(request, None, "login.html", values, code)


def _local(path: str) -> str:
    """A path of this service: no address of elsewhere is ever followed."""
    is_path = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_path else _HOME

"""Errors as pages, for people: what went wrong in one line, and for whom nobody knows, the way in."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from ewms.wms.access.session import cookie_token
from ewms.wms.web.pages import Pages

_TITLES: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "This request is not understood",
    HTTPStatus.UNAUTHORIZED: "Who are you?",
    HTTPStatus.FORBIDDEN: "This is not for you",
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.CONFLICT: "This cannot be done now",
    HTTPStatus.SERVICE_UNAVAILABLE: "Something is away for now",
}
RETURNED = "_"
"""Parameter of an address that a page of this service sent its reader to."""


def trouble_page(request: Request, code: int, message: str) -> Response | None:
    """An error as a page; None where it is no browser that asks for one."""
    pages: Pages | None = getattr(request.app.state, "pages", None)
    if pages is None or "text/html" not in request.headers.get("Accept", ""):
        return None
    caller = getattr(request.state, "caller", None)
    if code == HTTPStatus.UNAUTHORIZED and request.method == "GET":
        return _way_in(request, pages)
    title = _TITLES.get(code, "Something went wrong")
    return pages.page(request, caller, "trouble.html", {"title": title, "message": message, "code": code}, code)


def _way_in(request: Request, pages: Pages) -> Response:
    """To the login page; or, for a link of elsewhere, with which the browser sends no cookie, to the same page once more."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    is_first = RETURNED not in request.query_params
    if is_first and request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"} and cookie_token(request) is None:
        target = f"{here}{'&' if request.url.query else '?'}{RETURNED}="
        return pages.page(request, None, "again.html", {"target": target})
    return RedirectResponse(f"/ui/login?next={quote(here, safe='/')}", HTTPStatus.SEE_OTHER)

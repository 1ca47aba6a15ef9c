"""Browsers that are logged in: a token in a cookie, which changes things from pages of this service alone."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


def cookie_name(headers: Headers) -> str:
    """What the cookie is called; browsers give a cookie to all ports of a host, so it is named for the port."""
    _, _, port = headers.get("Host", "").rpartition(":")
    return f"ewms_session_{port}" if port.isdecimal() else "ewms_session"


def cookie_token(request: Request) -> str | None:
    """The token of a browser's session; None where there is none."""
    return request.cookies.get(cookie_name(request.headers)) or None


def is_of_this_site(headers: Headers, public_url: str = "") -> bool:
    """Whether a page of this service sends the request, as the browser has it; False where nothing tells.

    Parameters
    ----------
    public_url
        By which the service is reached where a proxy stands before it.
    """
    if (site := headers.get("Sec-Fetch-Site")) is not None:
        return site == "same-origin"
    origin = headers.get("Origin")
    if origin is None:
        return False
    try:
        place = urlsplit(origin).netloc
        return bool(place) and place in {headers.get("Host", ""), urlsplit(public_url).netloc}
    except ValueError:
        return False


def is_of_elsewhere(headers: Headers, public_url: str = "") -> bool:
    """Whether a browser says that it sends the request for a page of elsewhere; programs say nothing."""
    tells = "Sec-Fetch-Site" in headers or "Origin" in headers
    return tells and headers.get("Sec-Fetch-Site") != "none" and not is_of_this_site(headers, public_url)

"""Errors as answers: EWMS's `{"code": …, "error": …}` with one line that says what to do, never a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ewms.core.errors import (
    BrokerError,
    Conflict,
    EwmsError,
    Forbidden,
    MessageTooLarge,
    NotFound,
    ProviderUnavailable,
    StoreError,
    Unauthenticated,
    UsageError,
)
from ewms.wms.web.troubles import trouble_page

_CODES: tuple[tuple[type[EwmsError], HTTPStatus], ...] = (
    (UsageError, HTTPStatus.BAD_REQUEST),
    (MessageTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (Unauthenticated, HTTPStatus.UNAUTHORIZED),
    (Forbidden, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (ProviderUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (StoreError, HTTPStatus.SERVICE_UNAVAILABLE),
    (BrokerError, HTTPStatus.SERVICE_UNAVAILABLE),
)
_HEADERS: dict[int, dict[str, str]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "2"},
    # Whatever else the client would send is not read.
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: {"Connection": "close"},
}
_LONGEST = 300


def code_of(error: EwmsError) -> HTTPStatus:
    """The status that an error is answered with."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return HTTPStatus.INTERNAL_SERVER_ERROR


def answer(code: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error as EWMS words it."""
    headers = {**_HEADERS.get(code, {}), **(headers or {})}
    return JSONResponse({"code": code, "error": message}, status_code=code, headers=headers)


def install(app: FastAPI) -> None:
    """Have an app answer errors so."""
    app.exception_handler(EwmsError)(_of_ours)
    app.exception_handler(RequestValidationError)(_of_validation)
    app.exception_handler(HTTPException)(_of_framework)


async def _of_ours(request: Request, error: EwmsError) -> Response:
    return _told(request, code_of(error), str(error))


async def _of_validation(request: Request, error: RequestValidationError) -> Response:
    return _told(request, HTTPStatus.BAD_REQUEST, _complaint(error.errors()[0]))


async def _of_framework(request: Request, error: HTTPException) -> Response:
    message = str(error.detail)
    if error.status_code == HTTPStatus.NOT_FOUND:
        message = f"there is no route {request.method} {request.url.path:.200}; see /openapi.json"
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        message = f"{request.method} is not for {request.url.path:.200}; see /openapi.json"
    return _told(request, error.status_code, message, error.headers)


def _told(request: Request, code: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error for whoever asked: a page for people, EWMS's words for programs."""
    return trouble_page(request, code, message) or answer(code, message, headers)


def _complaint(problem: dict[str, Any]) -> str:
    """One line on a request that is wrong, naming the key; the value is shown neither here nor in the log."""
    where, *keys = (str(part) for part in problem["loc"])
    place = ".".join(keys) or f"the {where}"
    match problem["type"]:
        case "extra_forbidden":
            text = f"unknown key '{place}'; remove it"
        case "missing":
            text = f"key '{place}' is missing" if keys else f"the {where} is missing"
        case "json_invalid":
            text = f"the body is not valid JSON: {problem['ctx']['error']}"
        case "value_error":
            text = f"{place}: {problem['ctx']['error']}"
        case _:
            text = f"{place}: {problem['msg']}"
    return text[:_LONGEST]

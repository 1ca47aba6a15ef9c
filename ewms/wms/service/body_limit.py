"""How much a request may send."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ewms.wms.service.errors import answer

_UPLOADS = "/api/files"
"""Contents that are sent here, or below by their sha256, have a limit of their own."""


class BodyLimit:
    """Refuses bodies above a limit, whether they say how long they are or not.

    Parameters
    ----------
    limit
        Bytes.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or _is_upload(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("Content-Length", "")
        words = f"the request is above the service's limit of {self._limit} bytes; send less at once"
        if announced.isdecimal() and int(announced) > self._limit:
            await answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, words)(scope, receive, send)
            return
        received = 0

        async def measured() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, words)
            return message

        await self._app(scope, measured, send)


def _is_upload(method: str, path: str) -> bool:
    return (method == "POST" and path == _UPLOADS) or (method == "PUT" and path.startswith(f"{_UPLOADS}/"))

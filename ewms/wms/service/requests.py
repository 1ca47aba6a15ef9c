"""Around every request: an id, a line in the log, a measurement, and one line for what nobody foresaw."""

from __future__ import annotations

import logging
import re
import secrets
import time
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ewms.core.service.log_lines import request_id
from ewms.wms.service.errors import answer
from ewms.wms.service.metrics import Metrics

_HEADER = "X-Request-ID"
_is_request_id = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII).fullmatch
_log = logging.getLogger("ewms.service")


class Requests:
    """Wraps the app.

    Parameters
    ----------
    metrics
        Told of every request.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(_HEADER, "")
        identity = given if _is_request_id(given) else secrets.token_hex(8)
        token = request_id.set(identity)
        exchange = _Exchange(send, identity)
        began = time.perf_counter()
        try:
            with self._metrics.under_way.track_inprogress():
                await self._app(scope, receive, exchange.send)
        except Exception:  # noqa: BLE001 - whatever it is must neither reach the caller nor stop the service
            _log.exception("request_failed", extra={"method": scope["method"], "path": scope["path"]})
            if not exchange.code:
                sorry = answer(
                    HTTPStatus.INTERNAL_SERVER_ERROR, f"internal error; see the service's log, request {identity}"
                )
                await sorry(scope, receive, exchange.send)
        finally:
            self._record(scope, exchange.code, time.perf_counter() - began)
            request_id.reset(token)

    def _record(self, scope: Scope, code: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        self._metrics.request_served(scope["method"], route, code, seconds)
        _log.info(
            "request_served",
            extra={"method": scope["method"], "path": scope["path"], "code": code, "seconds": round(seconds, 4)},
        )


class _Exchange:
    """One request's answer, as it is sent."""

    def __init__(self, send: Send, identity: str) -> None:
        self._send = send
        self._identity = identity
        self.code = 0
        """Of the answer; 0 before it began."""

    async def send(self, message: Message) -> None:
        """Pass a message on, with the request's id in its header."""
        if message["type"] == "http.response.start":
            self.code = message["status"]
            headers = MutableHeaders(scope=message)
            headers[_HEADER] = self._identity
            headers.setdefault("X-Content-Type-Options", "nosniff")
        await self._send(message)

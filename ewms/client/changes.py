"""Changes of all workflows that a caller may see, by server-sent events, in a thread that another one may end."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import msgspec
import pydantic_core

from ewms.client.connection import Connection, ServiceUnavailable

_SILENCE_SECONDS = 45.0
"""The service sends a comment more often than that."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a service tells by itself."""

    workflow: dict[str, Any] | None
    """A summary of a workflow, with its rates; None where it cannot tell what was missed: list all anew."""


class Changes:
    """One listener at a service.

    Parameters
    ----------
    connection
        To the service; must stay open.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last = ""
        self._socket: socket.socket | None = None
        self._is_closed = False

    def listen(self) -> Iterator[Change]:
        """What changes, until the service or `close` ends it; called again, it goes on where it was.

        Raises
        ------
        ServiceUnavailable
            The connection was lost, or there is none.
        """
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": self._last} if self._last else {})}
        timeout = httpx2.Timeout(_SILENCE_SECONDS)
        try:
            with self._connection.open("GET", "/api/stream", headers=headers, timeout=timeout) as answer:
                self._socket = answer.extensions["network_stream"].get_extra_info("socket")
                for event in [] if self._is_closed else httpx2.EventSource(answer):
                    self._last = event.id or self._last
                    if event.event in {"workflow", "reset"}:
                        is_reset = event.event == "reset"
                        yield Change(workflow=None if is_reset else pydantic_core.from_json(event.data))
        except httpx2.TransportError as error:
            if not self._is_closed:
                raise ServiceUnavailable(f"the connection to {self._connection.url} was lost") from error
        finally:
            self._socket = None

    def close(self) -> None:
        """End `listen` in the thread where it waits. Idempotent."""
        self._is_closed = True
        if (waiting := self._socket) is not None:
            with contextlib.suppress(OSError):  # it has just ended by itself
                socket.socket.shutdown(waiting, socket.SHUT_RDWR)

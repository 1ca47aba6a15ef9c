"""A workflow's status as it changes: by server-sent events, and by asking again where these do not come through."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx2
import pydantic_core

from ewms.client.connection import Connection
from ewms.client.status import WorkflowStatus, status_of
from ewms.core.errors import NotFound

_LOOK_SECONDS = 1.0
_SILENCE_SECONDS = 45.0
"""The service sends a comment more often than that."""


def follow(connection: Connection, workflow_id: str) -> Iterator[WorkflowStatus]:
    """The status now and after every change, until the workflow has ended; survives restarts of the service.

    Raises what `Connection.send` raises.
    """
    shown: WorkflowStatus | None = None
    while True:
        for status in _told(connection, workflow_id):
            if status != shown:
                yield status
            if status.has_ended:
                return
            shown = status
        status = status_of(connection.get(f"/api/workflows/{workflow_id}"))
        if status != shown:
            yield status
        if status.has_ended:
            return
        shown = status
        time.sleep(_LOOK_SECONDS)


def _told(connection: Connection, workflow_id: str) -> Iterator[WorkflowStatus]:
    """What the service tells by itself, for as long as it does; nothing where it does not, as behind some proxies."""
    timeout = httpx2.Timeout(_SILENCE_SECONDS)
    path = f"/api/workflows/{workflow_id}/stream"
    try:
        with connection.open("GET", path, headers={"Accept": "text/event-stream"}, timeout=timeout) as answer:
            for event in httpx2.EventSource(answer):
                if event.event == "workflow":
                    yield status_of(pydantic_core.from_json(event.data))
    except (httpx2.TransportError, NotFound):  # it broke off, or there is no stream of events: `follow` asks
        return

"""Following a workflow, by events and without."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ewms.client import follow as follow_module
from ewms.client.connection import Connection
from ewms.client.follow import follow
from ewms.core.errors import UsageError
from tests.support.stand_in import Answer, StandIn

STREAM = "GET /api/workflows/WF-1/stream"
ITSELF = "GET /api/workflows/WF-1"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_module, "_LOOK_SECONDS", 0.0)


def document(state: str, **other: Any) -> dict[str, Any]:
    return {"workflow_id": "WF-1", "state": state, "timestamp": 1.0, "a key of tomorrow": [1], **other}


def event(state: str, **other: Any) -> bytes:
    return b"event: workflow\ndata: " + json.dumps(document(state, **other)).encode() + b"\n\n"


def stream(*parts: bytes, breaks: bool = False) -> Answer:
    return Answer(parts=parts, breaks=breaks, content_type="text/event-stream; charset=utf-8")


def test_every_change_is_told_once(service: StandIn, connection: Connection) -> None:
    service.answer(
        STREAM,
        stream(event("pending"), b": still here\n\n", event("running"), breaks=True),
        stream(event("running"), event("running", counts={"accepted": 3}), event("complete")),
    )
    service.answer(ITSELF, Answer(document("running")))
    found = list(follow(connection, "WF-1"))
    assert [status.state for status in found] == ["pending", "running", "running", "complete"]
    assert found[2].counts == {"accepted": 3}


def test_without_events_it_asks(service: StandIn, connection: Connection) -> None:
    service.answer(STREAM, Answer(b"<html>", content_type="text/html"))
    service.answer(ITSELF, *(Answer(document(state)) for state in ("pending", "running", "running", "failed")))
    assert [status.state for status in follow(connection, "WF-1")] == ["pending", "running", "failed"]


def test_a_workflow_that_has_ended(service: StandIn, connection: Connection) -> None:
    service.answer(STREAM, stream(event("cancelled")))
    assert [status.state for status in follow(connection, "WF-1")] == ["cancelled"]


def test_something_that_is_no_workflow(service: StandIn, connection: Connection) -> None:
    service.answer(STREAM, stream())
    service.answer(ITSELF, Answer({"workflow_id": "WF-1", "state": "asleep", "timestamp": 1.0}))
    with pytest.raises(UsageError, match="in another way than this version knows"):
        list(follow(connection, "WF-1"))

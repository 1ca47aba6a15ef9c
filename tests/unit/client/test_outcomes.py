"""The stream of outcomes survives whatever happens to connections."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from ewms.client import outcomes as outcomes_module
from ewms.client.connection import Connection, ServiceUnavailable
from ewms.client.outcomes import outcomes
from tests.support.stand_in import Answer, Asked, StandIn

ROUTE = "GET /api/workflows/WF-1/outcomes"


def line(order: int, *outputs: Any, **other: Any) -> bytes:
    return json.dumps({"order": order, "id": str(order), "task": "t", "outputs": outputs, **other}).encode() + b"\n"


def stream(*parts: bytes, breaks: bool = False) -> Answer:
    return Answer(parts=parts, breaks=breaks, content_type="application/x-ndjson")


def test_each_outcome_comes_once_over_several_connections(service: StandIn, connection: Connection) -> None:
    service.answer(
        ROUTE,
        stream(line(1, "a"), b"\n", line(2, "b")[:9], breaks=True),
        stream(breaks=True),
        stream(line(2, "b"), line(5, "c")),
    )
    assert [(each.order, each.value) for each in outcomes(connection, "WF-1")] == [(1, "a"), (2, "b"), (5, "c")]
    assert [asked.query["after"] for asked in service.asked] == ["0", "1", "1"]


def test_a_line_may_come_in_parts(service: StandIn, connection: Connection) -> None:
    whole = line(1, "a") + line(2, "b")
    service.answer(ROUTE, stream(whole[:7], whole[7:30], whole[30:]))
    assert [each.value for each in outcomes(connection, "WF-1")] == ["a", "b"]


def test_results_arrive_before_the_stream_ends(service: StandIn, connection: Connection) -> None:
    """The second is only sent when the first has been taken."""
    taken: list[int] = []

    def parts() -> Iterator[bytes]:
        yield line(1, "a")
        while not taken:
            yield b"\n"
        yield line(2, "b")

    service.routes[ROUTE] = lambda _: Answer(parts=parts())
    for each in outcomes(connection, "WF-1"):
        taken.append(each.order)
    assert taken == [1, 2]


def test_values(service: StandIn, connection: Connection) -> None:
    data = base64.b64encode(b"\x00\x01").decode()
    service.answer(
        ROUTE,
        stream(
            line(1),
            line(2, 7),
            line(3, 1, 2, many=True),
            line(4, many=True),
            line(5, data, codecs=["bytes"]),
            line(6, reason="it failed"),
        ),
    )
    found = list(outcomes(connection, "WF-1"))
    assert [each.value for each in found] == [None, 7, [1, 2], [], b"\x00\x01", None]
    assert found[-1].reason == "it failed"


def test_a_stream_that_never_says_anything_is_given_up(
    service: StandIn, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes_module, "_PAUSE_SECONDS", 0.0)
    service.answer(ROUTE, stream(b"rubbish\n"))
    with pytest.raises(ServiceUnavailable, match="breaks off"):
        list(outcomes(connection, "WF-1"))


def test_without_waiting(service: StandIn, connection: Connection) -> None:
    def reply(asked: Asked) -> Answer:
        assert asked.query == {"after": "3", "follow": "false"}
        return stream(line(4, "d"))

    service.routes[ROUTE] = reply
    assert [each.order for each in outcomes(connection, "WF-1", 3, wait=False)] == [4]

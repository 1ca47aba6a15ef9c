"""The wire format. The encoded messages below are those of protocol 1: they may be added to, never changed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.core import wire
from ewms.core.wire import (
    Command,
    Failure,
    Heartbeat,
    Kind,
    RawReport,
    RawResult,
    Report,
    Result,
    WireOutput,
    WorkEvent,
    WorkMessage,
)

texts = st.text(max_size=20)
outputs = st.lists(st.builds(WireOutput, texts, st.binary(max_size=20), texts), max_size=3)
encoded = outputs.map(lambda some: msgspec.Raw(wire.encode(some)))
results = st.builds(RawResult, texts, st.integers(1, 2**32), encoded, st.booleans())
failures = st.builds(Failure, texts, st.integers(1, 2**32), st.sampled_from(Kind), texts)
reports = st.builds(
    Report,
    st.just(wire.PROTOCOL),
    texts,
    texts,
    st.booleans(),
    texts,
    texts,
    texts,
    st.floats(0, 1e6),
    st.lists(results, max_size=3),
    st.lists(failures, max_size=3),
)


@given(st.lists(reports, max_size=3))
def test_reports_come_back(together: list[Report]) -> None:
    assert wire.decode_reports(wire.encode(together)) == together


@given(reports)
def test_a_pilot_passes_results_through_unread(report: Report) -> None:
    """A report with the results as the worker encoded them is the same bytes."""
    raw = msgspec.Raw(wire.encode(report.results))
    head: dict[str, Any] = {name: getattr(report, name) for name in wire.ReportHead.__struct_fields__}
    passed = RawReport(**head, results=raw, failures=report.failures)
    assert wire.encode(passed) == wire.encode(report)
    assert [(result.id, result.attempt, result.many) for result in wire.decode_results(raw)] == [
        (result.id, result.attempt, result.many) for result in report.results
    ]


@given(outputs)
def test_outputs_come_back_whoever_reads_them(some: list[WireOutput]) -> None:
    results = [Result("7", 1, some, many=True)]
    assert wire.decode_results(wire.encode(results)) == results
    (raw,) = msgspec.msgpack.decode(wire.encode(results), type=list[RawResult])
    assert msgspec.msgpack.decode(raw.outputs, type=list[WireOutput]) == some


def test_a_work_message_comes_back() -> None:
    events = [WorkEvent("1", "json", b"1"), WorkEvent("2", "@numpy", b"\xc0", 3, {"color": "red"})]
    message = WorkMessage(wire.PROTOCOL, "1.a", "square", True, events)
    assert wire.decode_work(wire.encode(message)) == message


@pytest.mark.parametrize("signal", [Heartbeat(pilot="PL-1", host="h", holds=["1.a"]), Command(action="end")])
def test_signals_tell_themselves_apart(signal: Heartbeat | Command) -> None:
    assert wire.decode_signal(wire.encode(signal)) == signal


WORK = [1, "1.a", "square", False, [["7", "json", b"7", 2, {"k": "v"}]]]
REPORT = [
    1,
    "1.a",
    "square",
    False,
    "PL-1",
    "host",
    "",
    0.5,
    [["7", 2, [["json", b"49", ""]], False]],
    [["8", 1, 3, "gone"]],
]


def test_protocol_1_as_it_was_agreed() -> None:
    work = WorkMessage(1, "1.a", "square", False, [WorkEvent("7", "json", b"7", 2, {"k": "v"})])
    outputs = [WireOutput("json", b"49")]
    result = RawResult("7", 2, msgspec.Raw(wire.encode(outputs)))
    report = Report(1, "1.a", "square", False, "PL-1", "host", "", 0.5, [result], [Failure("8", 1, Kind.VANISHED, "gone")])
    assert wire.decode_work(wire.encode(WORK)) == work
    assert wire.decode_reports(wire.encode([REPORT])) == [report]
    assert msgspec.msgpack.decode(wire.encode(work)) == [*WORK, 0], "added since: how many may wait in line"


@pytest.mark.parametrize(
    ("decode", "message"),
    [
        (wire.decode_work, [*WORK, 0, "later"]),
        (wire.decode_work, [*WORK[:4], [["7", "json", b"7", 2, {"k": "v"}, "later"]]]),
        (lambda data: wire.decode_reports(data)[0], [[*REPORT, [0.5, 1024], "later"]]),
    ],
)
def test_what_a_newer_version_adds_at_the_end_does_no_harm(decode: Any, message: list[Any]) -> None:
    assert decode(wire.encode(message)).message_id == "1.a"


def test_an_older_version_may_leave_defaults_out() -> None:
    (event,) = wire.decode_work(wire.encode([1, "1.a", "square", False, [["7", "json", b"7"]]])).events
    assert (event.attempt, event.headers) == (1, None)


@pytest.mark.parametrize("decode", [wire.decode_work, wire.decode_reports, wire.decode_signal, wire.decode_results])
@pytest.mark.parametrize("data", [b"", b"\xc1", b"hello", wire.encode([1, 2])])
def test_anything_else_is_refused(decode: Any, data: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode(data)

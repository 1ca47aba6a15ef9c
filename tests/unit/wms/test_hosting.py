"""Application code is somebody else's: what it does wrong is explained in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest

from ewms.blobs import BlobStore
from ewms.core import codecs
from ewms.core.application import Application
from ewms.core.errors import ApplicationError, EwmsError, InputError, PayloadError, SpecError
from ewms.core.event import Attempt, DeadLetter, Event, Outcome
from ewms.core.graph import Graph
from ewms.core.wire import WireOutput
from ewms.stores.base import EventRow
from ewms.wms.hosting import Host
from ewms.wms.routing import answer_rank, source_rank

from .desk import Sender, graph_of, numbers

GRAPH = graph_of({}, {"name": "store", "input": "squares", "output": []})
ROW = EventRow(1, 0, "7", source_rank(7), "json", b"7", None)


@pytest.fixture
def host_of(tmp_path: Path) -> Callable[..., Host]:
    def make(application: Application[Any, Any, Any], graph: Graph = GRAPH) -> Host:
        return Host(application, graph, BlobStore(str(tmp_path), 100))

    return make


def test_the_source_is_lazy_and_can_skip(host_of: Callable[..., Host]) -> None:
    pulled: list[int] = []

    def endless() -> Iterator[Event]:
        for number in range(10**12):
            pulled.append(number)
            yield Event(id=str(number), body=number)

    source = host_of(Sender(endless())).source(skip=3)
    first = next(source)
    assert (first.id, first.rank, first.codec, first.data) == ("3", source_rank(3), "json", b"3")
    assert len(pulled) == 4


def test_an_event_is_encoded_for_its_task(host_of: Callable[..., Host]) -> None:
    events = [
        Event(id="a", body=numpy.zeros(3), queue="squares", headers={"k": "v"}),
        Event(id="b", body="x" * 200),
    ]
    array, large = host_of(Sender(events)).source()
    assert (array.task, array.codec, codecs.decode("msgpack", array.headers or b"")) == (1, "@numpy", {"k": "v"})
    assert (large.task, large.codec, large.headers) == (0, "@json", None)


class Answering(Sender):
    """Remembers what it is told and answers it."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Outcome | DeadLetter] = []

    def advance(self, outcome: Outcome) -> Iterable[Event]:
        self.told.append(outcome)
        return [Event(id="next", body=outcome.values)]

    def buried(self, letter: DeadLetter) -> Iterable[Event]:
        self.told.append(letter)
        return [Event(id="instead", body=letter.body)]


def test_an_outcome_is_decoded_and_the_answer_encoded(host_of: Callable[..., Host]) -> None:
    application = Answering()
    host = host_of(application)
    assert host.listens
    outputs = [WireOutput("json", b"49"), WireOutput(*codecs.encode(b"raw"))]
    (answer,) = host.advance(ROW, outputs[:1], many=False)
    assert (answer.id, answer.rank, answer.data) == ("next", answer_rank("next"), b"[49]")
    host.advance(ROW, outputs[1:], many=False)
    assert [outcome.values for outcome in application.told if isinstance(outcome, Outcome)] == [(49,), (b"raw",)]


def test_a_dead_letter_comes_with_its_history(host_of: Callable[..., Host]) -> None:
    application = Answering()
    history = [Attempt(attempt=1, kind="failed", reason="bad")]
    (answer,) = host_of(application).buried(ROW, "bad", history)
    assert (answer.id, answer.data) == ("instead", b"7")
    assert application.told == [DeadLetter(id="7", task="square", reason="bad", history=tuple(history), body=7)]


def test_who_does_not_listen_is_not_told(host_of: Callable[..., Host]) -> None:
    assert not host_of(Sender()).listens


def test_an_application_may_answer_with_none(host_of: Callable[..., Host]) -> None:
    class Silent(Sender):
        def advance(self, outcome: Outcome) -> Any:
            return None

    assert host_of(Silent()).advance(ROW, [], many=False) == []


class Broken(Sender):
    """Raises whatever it is told to, wherever it can."""

    def __init__(self, error: Exception, number: int = 0) -> None:
        super().__init__()
        self.error = error
        self.number = number

    def start(self) -> Iterator[Event]:
        yield from numbers(self.number)
        raise self.error

    def advance(self, outcome: Outcome) -> Iterable[Event]:
        raise self.error

    def buried(self, letter: DeadLetter) -> Iterable[Event]:
        yield Event(id="fine")
        raise self.error

    def assemble(self) -> Any:
        raise self.error

    def snapshot(self) -> Any:
        raise self.error

    def status(self) -> str:
        raise self.error

    def summary(self) -> Any:
        raise self.error


CALLS: dict[str, Callable[[Host], Any]] = {
    "start": lambda host: list(host.source()),
    "advance": lambda host: host.advance(ROW, [], many=False),
    "buried": lambda host: host.buried(ROW, "bad", []),
    "assemble": lambda host: host.assemble(),
    "snapshot": lambda host: host.snapshot(),
    "status": lambda host: host.status(),
    "summary": lambda host: host.summary(),
}


@pytest.mark.parametrize("method", CALLS)
def test_what_an_application_raises_is_explained(host_of: Callable[..., Host], method: str) -> None:
    host = host_of(Broken(KeyError("pixel")))
    with pytest.raises(ApplicationError) as error:
        CALLS[method](host)
    assert str(error.value).startswith(f"application Broken.{method} raised KeyError: 'pixel' ({__file__}:")
    assert isinstance(error.value.__cause__, KeyError)


class Busy(Sender):
    """Looks at its own status while it answers."""

    def __init__(self) -> None:
        super().__init__()
        self.word = "first"
        self.seen: list[str] = []

    def status(self) -> str:
        return self.word


def test_a_status_is_never_waited_for(host_of: Callable[..., Host]) -> None:
    busy = Busy()
    host = host_of(busy)

    def snapshot() -> None:
        busy.word = "second"
        busy.seen.append(host.status())

    busy.snapshot = snapshot  # type: ignore[method-assign]
    assert host.status() == "first"
    host.snapshot()
    assert busy.seen == ["first"]
    assert host.status() == "second"


def test_a_long_complaint_is_one_line(host_of: Callable[..., Host]) -> None:
    host = host_of(Broken(ValueError("first\n  second\nthird")))
    with pytest.raises(ApplicationError, match="raised ValueError: first second third"):
        host.assemble()


def test_what_came_before_the_error_is_kept(host_of: Callable[..., Host]) -> None:
    source = host_of(Broken(RuntimeError("disk"), number=2)).source()
    assert [next(source).id, next(source).id] == ["0", "1"]
    with pytest.raises(ApplicationError, match="start raised RuntimeError: disk"):
        next(source)


def test_a_file_that_cannot_be_read_is_an_input_error(host_of: Callable[..., Host]) -> None:
    host = host_of(Broken(FileNotFoundError(2, "No such file or directory", "pages/7.png")))
    with pytest.raises(InputError, match=r"^No such file or directory: pages/7.png$"):
        list(host.source())
    with pytest.raises(InputError, match=r"^lost$"):
        host_of(Broken(OSError("lost"))).assemble()


def test_our_own_errors_pass_as_they_are(host_of: Callable[..., Host]) -> None:
    error = EwmsError("what, where, what to do")
    with pytest.raises(EwmsError) as found:
        host_of(Broken(error)).assemble()
    assert found.value is error


@pytest.mark.parametrize(
    ("sent", "kind", "words"),
    [
        ({"id": "1"}, ApplicationError, r"application Sender sent a dict; it must send ewms.Event"),
        (None, ApplicationError, r"application Sender sent a NoneType; it must send ewms.Event"),
        (Event(id="a b"), InputError, r"event id 'a b' is not allowed: use 1 to 200 characters"),
        (Event(id=7), InputError, r"event id 7 is not allowed"),  # type: ignore[arg-type]
        (Event(id="1", queue="numbres"), SpecError, r"queue 'numbres', which no task reads; did you mean 'numbers'"),
        (Event(id="1", body=object()), PayloadError, r"a value of type object does not fit codec 'json'"),
    ],
)
def test_what_cannot_be_sent_is_refused(host_of: Callable[..., Host], sent: Any, kind: type[EwmsError], words: str) -> None:
    with pytest.raises(kind, match=words):
        list(host_of(Sender([sent])).source())

"""An application in a process of its own behaves like one at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ewms.core.errors import ApplicationError, InputError, SpecError
from ewms.core.event import Attempt, DeadLetter, Event, Outcome
from ewms.core.spec import WorkflowSpec, parse_spec
from ewms.drive.application import ListeningApplication, Process, load_remote

MODULE = """
import sys
import numpy as np
import ewms

class Sky(ewms.Application):
    consumer = "flow:scan"

    def __init__(self, inputs=(), count=3):
        super().__init__(inputs)
        self.count = count
        self.seen = []

    def context(self):
        return {"model": b"\\x00\\xff"}

    def start(self):
        print("not an answer")
        for number in range(self.count):
            yield ewms.Event(id=str(number), body=[number, None], headers={"n": str(number)})

    def advance(self, outcome):
        self.seen.append((outcome.id, outcome.values, outcome.many))
        if outcome.id == "array":
            return [ewms.Event(id="sum", body=float(outcome.value.sum()))]
        if outcome.id == "exit":
            sys.exit(3)
        if outcome.id == "wrong":
            return ["no event"]
        if outcome.id == "input":
            raise OSError(2, "No such file", "a.txt")

    def buried(self, letter):
        body = {"why": letter.reason, "attempts": len(letter.history), "body": letter.body}
        return [ewms.Event(id=f"again-{letter.id}", body=body)]

    def assemble(self):
        return {"seen.txt": "\\n".join(sorted(str(item[0]) for item in self.seen)), "raw": b"\\xff"}

    def snapshot(self):
        return {"so far": len(self.seen)}

    def status(self):
        return f"{len(self.seen)} seen"

    def summary(self):
        return {"seen": len(self.seen)}

class Deaf(ewms.Application):
    consumer = "flow:scan"

    def start(self):
        return [ewms.Event(id="0", body=[str(path) for path in self.inputs])]

def scan(body):
    return body
"""


def spec_of(**fields: Any) -> WorkflowSpec:
    return parse_spec({"name": "sky", "application": "flow:Sky", **fields}, "test")


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    """Of the module above."""
    folder = tmp_path / "code"
    folder.mkdir()
    folder.joinpath("flow.py").write_text(MODULE)
    process = Process(folder, tmp_path / "log")
    yield process
    process.close()


def loaded(process: Process, tmp_path: Path, **fields: Any) -> Any:
    return load_remote(process, spec_of(**fields), [str(tmp_path / "code")], []).application([])


def test_its_source_comes_whole_and_in_order(process: Process, tmp_path: Path) -> None:
    application = loaded(process, tmp_path, parameters={"count": 1000})
    events = list(application.start())
    assert events == [Event(id=str(number), body=[number, None], headers={"n": str(number)}) for number in range(1000)]
    assert list(application.start()) == events  # as often as a driver asks
    assert "not an answer" in (tmp_path / "log").read_text()


def test_its_answers_are_those_of_the_class(process: Process, tmp_path: Path) -> None:
    application = loaded(process, tmp_path)
    assert isinstance(application, ListeningApplication)
    assert application.context() == {"model": b"\x00\xff"}
    assert list(application.advance(Outcome(id="a", task="sky", values=(1, {"b": [2.5]}), many=True))) == []
    assert list(application.advance(Outcome(id="array", task="sky", values=(np.arange(4.0),)))) == [
        Event(id="sum", body=6.0)
    ]
    letter = DeadLetter(
        id="x", task="sky", reason="broken", history=(Attempt(attempt=1, kind="failed", reason="r"),), body=[1]
    )
    assert list(application.buried(letter)) == [Event(id="again-x", body={"why": "broken", "attempts": 1, "body": [1]})]
    assert application.status() == "2 seen"
    assert application.summary() == {"seen": 2}
    assert application.assemble() == {"seen.txt": b"a\narray", "raw": b"\xff"}
    assert application.snapshot() == {"product.json": b'{\n  "so far": 2\n}\n'}


def test_one_that_does_not_listen_is_not_told(process: Process, tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.touch()
    found = load_remote(process, spec_of(application="flow:Deaf"), [str(tmp_path / "code")], [path])
    application = found.application([])
    assert not isinstance(application, ListeningApplication)
    assert [event.body for event in application.start()] == [[str(path)]]
    assert application.assemble() is None
    assert [task.python for task in found.graph.tasks] == ["flow:scan"]


@pytest.mark.parametrize(
    ("event_id", "kind", "words"),
    [
        (
            "exit",
            ApplicationError,
            r"the application's process ended with exit code 3 in advance\(\); correct it and resume",
        ),
        ("wrong", ApplicationError, "the application sent a str; it must send ewms.Event"),
        ("input", InputError, r"No such file: a\.txt"),
    ],
)
def test_what_it_raises_is_raised_here(
    process: Process, tmp_path: Path, event_id: str, kind: type[Exception], words: str
) -> None:
    application = loaded(process, tmp_path)
    with pytest.raises(kind, match=words):
        application.advance(Outcome(id=event_id, task="sky"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"application": "flow:Nothing"}, "'flow:Nothing' cannot be imported"),
        ({"application": "flow:scan"}, "is not a subclass of ewms.Application"),
        ({"parameters": {"colour": "red"}}, "the application refuses its parameters or inputs: .*colour"),
    ],
)
def test_what_cannot_be_loaded_is_told(process: Process, tmp_path: Path, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        loaded(process, tmp_path, **fields)


def test_a_process_that_was_closed_answers_no_more(process: Process) -> None:
    process.close()
    with pytest.raises(ApplicationError, match="process was ended by SIGKILL"):
        process.ask("status")

"""Context: files that all events share reach consumers and commands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import ewms
from ewms.core.errors import ApplicationError, ConsumerError, WorkflowFailed
from ewms.local.api import loaded_from
from ewms.testing import simulate

HERE = str(Path(__file__).with_name("consumers.py"))


class Greeting(ewms.Application[ewms.Event, ewms.Outcome, Any]):
    tasks = (
        ewms.TaskSpec(name="say", python=f"{HERE}:from_context", input="words", output="sayings"),
        ewms.TaskSpec(
            name="show", command=("cp", "{{DATA_HUB}}/words.txt", "{{OUTFILE}}"), input="sayings", outfile_suffix=".txt"
        ),
    )

    def context(self) -> Mapping[str, bytes]:
        return {"words.txt": b"hello "}

    def __init__(self, inputs: Sequence[Path] = ()) -> None:
        super().__init__(inputs)
        self.said: dict[str, str] = {}

    def start(self) -> Iterator[ewms.Event]:
        yield ewms.Event(id="1", body="world", queue="words")

    def advance(self, outcome: ewms.Outcome) -> Sequence[ewms.Event]:
        self.said[outcome.task] = outcome.value
        return ()

    def assemble(self) -> Any:
        return sorted(self.said.items())


class Spoken(Greeting):
    tasks = Greeting.tasks[0:1]  # type: ignore[assignment]


class Escaping(Spoken):
    def context(self) -> Mapping[str, bytes]:
        return {"../words.txt": b""}


class Silent(Spoken):
    def context(self) -> Mapping[str, bytes]:
        return {}


def test_consumers_and_commands_find_it(tmp_path: Path) -> None:
    result = ewms.run(Greeting(), out=tmp_path / "out", workers=1)
    assert json.loads((result.product / "product.json").read_text()) == [["say", "hello world"], ["show", "hello "]]


def test_simulated_runs_have_it_too() -> None:
    loaded, make = loaded_from(Spoken, ())
    assert simulate(loaded, make).product == [("say", "hello world")]


def test_a_name_outside_the_hub_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ApplicationError, match=r"Escaping.context\(\) names '../words.txt', which is no plain file name"):
        ewms.run(Escaping(), out=tmp_path / "out", workers=1)


def test_a_file_that_is_not_there_is_named() -> None:
    loaded, make = loaded_from(Silent, ())
    letters = simulate(loaded, make).dead_letters
    assert "there is no context file 'words.txt'" in letters[0].reason
    with pytest.raises(ConsumerError, match="no context file"):
        ewms.context("words.txt")


def test_a_consumer_learns_which_attempt_it_is(tmp_path: Path) -> None:
    flow = ewms.Workflow("attempts").task(f"{HERE}:attempt_at", name="attempt", input="bounds")
    result = ewms.run(flow, events=[1, 3], out=tmp_path / "out", workers=1)
    assert [line["output"] for line in result.outcomes()] == [1, 3]


def test_a_damaged_file_ends_the_workflow_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ewms.local.run.hashlib.sha256", _another_digest)
    with pytest.raises(WorkflowFailed, match=r"context file 'words.txt' was damaged on its way to the pilot"):
        ewms.run(Spoken(), out=tmp_path / "out", workers=1)


class _another_digest:
    def __init__(self, data: bytes) -> None:
        del data

    def hexdigest(self) -> str:
        return "0" * 64

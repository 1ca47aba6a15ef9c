"""What a running workflow tells: progress to its caller, an application's word, a partial product."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import ewms
from ewms.core.errors import SpecError

HERE = str(Path(__file__).with_name("consumers.py"))
PATIENCE = 30.0


class Waiting(ewms.Application[ewms.Event, ewms.Outcome, dict[str, str]]):
    """Nine quick events and one that ends when the file `gate` is there: until then there is time to look around."""

    consumer = f"{HERE}:wait_for_file"

    def __init__(self, inputs: Sequence[Path] = (), gate: str = "") -> None:
        super().__init__(inputs)
        self.gate = gate
        self.done = 0

    def start(self) -> Iterator[ewms.Event]:
        for number in range(10):
            yield ewms.Event(id=str(number), body=self.gate if number == 9 else None)

    def advance(self, outcome: ewms.Outcome) -> Iterable[ewms.Event]:
        self.done += 1
        return ()

    def status(self) -> str:
        return f"{self.done} seen"

    def snapshot(self) -> dict[str, str]:
        return {"maps/partial.txt": f"{self.done}"}

    def assemble(self) -> dict[str, str]:
        return {"all.txt": f"{self.done}"}


class Clumsy(Waiting):
    def status(self) -> str:
        raise ValueError("no word")

    def snapshot(self) -> dict[str, str]:
        raise ValueError("no picture")


class Watcher:
    """Opens the gate once it has seen what it waits for."""

    def __init__(self, gate: Path, enough: Any) -> None:
        self.gate = gate
        self.enough = enough
        self.seen: list[ewms.Progress] = []
        self.deadline = time.monotonic() + PATIENCE

    def __call__(self, progress: ewms.Progress) -> None:
        self.seen.append(progress)
        if self.enough(progress) or time.monotonic() > self.deadline:
            self.gate.touch()


def test_the_caller_is_told_of_progress(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    watcher = Watcher(gate, lambda progress: progress.status == "9 seen")
    ewms.run(Waiting(gate=str(gate)), out=tmp_path / "out", workers=2, progress=watcher)
    last = watcher.seen[-1]
    assert (last.state, last.events["accepted"], last.tasks[0].done, last.status) == ("finished", 10, 10, "10 seen")
    assert "9 seen" in [progress.status for progress in watcher.seen]


def test_a_partial_product_is_there_until_the_product_is(tmp_path: Path) -> None:
    gate, out = tmp_path / "gate", tmp_path / "out"
    partial = out / "partial" / "maps" / "partial.txt"
    found: list[str] = []

    def look(progress: ewms.Progress) -> bool:
        found.extend([partial.read_text()] if partial.exists() else [])
        return "9" in found

    ewms.run(Waiting(gate=str(gate)), out=out, workers=2, progress=Watcher(gate, look))
    assert found[-1] == "9"
    assert [path.name for path in out.joinpath("product").iterdir()] == ["all.txt"]
    assert not (out / "partial").exists()


def test_a_workflow_does_not_end_for_the_sake_of_a_picture(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    gate = tmp_path / "gate"
    with caplog.at_level(logging.WARNING, "ewms.driver"):
        watcher = Watcher(gate, lambda progress: "snapshot_failed" in caplog.messages)
        ewms.run(Clumsy(gate=str(gate)), out=tmp_path / "out", workers=2, progress=watcher)
    assert sorted(caplog.messages) == ["snapshot_failed", "status_failed"]
    assert {progress.status for progress in watcher.seen} == {""}
    assert (tmp_path / "out" / "product" / "all.txt").read_text() == "10"


def test_what_the_caller_raises_interrupts_the_run_and_it_can_go_on(tmp_path: Path) -> None:
    gate, out = tmp_path / "gate", tmp_path / "out"

    def stop(progress: ewms.Progress) -> None:
        if progress.events["accepted"] >= 9:
            gate.touch()
            raise LookupError("seen enough")

    with pytest.raises(LookupError, match="seen enough"):
        ewms.run(Waiting(gate=str(gate)), out=out, workers=2, progress=stop)
    result = ewms.run(Waiting(gate=str(gate)), out=out, workers=2, resume=True)
    assert result.summary["events"]["accepted"] == 10


@pytest.mark.parametrize(("changed", "what"), [("parameters", "parameters"), ("inputs", "inputs")])
def test_another_workflow_is_not_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str, what: str) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    gate, out = tmp_path / "gate", tmp_path / "out"
    gate.touch()

    def run(place: Path, inputs: list[Path], *, resume: bool) -> ewms.RunResult:
        spec = ewms.WorkflowSpec(name="wait", application="test_progress:Waiting", parameters={"gate": str(place)})
        return ewms.run(spec, inputs=inputs, out=out, workers=1, resume=resume)

    run(gate, [gate], resume=False)
    place, inputs = (tmp_path / "other", [gate]) if changed == "parameters" else (gate, [tmp_path])
    with pytest.raises(SpecError, match=f"holds another workflow: its {what} differ; choose another folder"):
        run(place, inputs, resume=True)
    assert run(gate, [gate], resume=True).summary["events"]["accepted"] == 10

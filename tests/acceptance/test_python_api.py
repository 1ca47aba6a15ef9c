"""`ewms.map`, `ewms.run`, `ewms.Workflow` and `ewms.Application`, as a program uses them."""

from __future__ import annotations

import itertools
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

import ewms
from ewms.core.errors import ConsumerError, EventFailed, InputError, SpecError

HERE = str(Path(__file__).with_name("consumers.py"))


def test_map_keeps_the_order() -> None:
    assert list(ewms.map(f"{HERE}:square", range(50), workers=2)) == [number * number for number in range(50)]


def test_map_as_completed_gives_every_result_once() -> None:
    results = ewms.map(f"{HERE}:square", range(50), workers=2, ordered=False)
    assert sorted(results) == [number * number for number in range(50)]


def test_map_is_lazy_at_both_ends() -> None:
    drawn = itertools.count()
    results = ewms.map(f"{HERE}:square", drawn, workers=2)
    assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
    results.close()  # type: ignore[attr-defined]
    assert next(drawn) < 200_000


def test_closing_a_map_kills_what_runs(tmp_path: Path) -> None:
    marks = [str(tmp_path / name) for name in ("first", "second")]
    results = ewms.map(f"{HERE}:mark_and_sleep", [None, *marks], workers=2)
    assert next(results) is None
    pids = [wait_for_text(Path(mark)) for mark in marks]
    results.close()  # type: ignore[attr-defined]
    assert not any(psutil.pid_exists(int(pid)) for pid in pids)


def wait_for_text(path: Path) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.01)
    pytest.fail(f"nothing was written to {path}")


def test_map_raises_in_the_place_of_a_failure() -> None:
    results = ewms.map(f"{HERE}:picky", [1, 2, 3], workers=1, retry={"max_failures": 1})
    assert next(results) == 1
    with pytest.raises(EventFailed, match="input 1: ValueError: not two"):
        next(results)


def test_map_gives_lists_for_generators_and_none_for_nothing() -> None:
    assert list(ewms.map(f"{HERE}:count_to", [0, 1, 3], workers=1)) == [[], [0], [0, 1, 2]]
    assert list(ewms.map(f"{HERE}:nothing", [1], workers=1)) == [None]


@pytest.mark.parametrize("settings", [{"timeout": -1}, {"colour": "red"}])
def test_map_refuses_wrong_settings(settings: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        next(ewms.map(f"{HERE}:square", [1], **settings))


def test_map_refuses_what_a_pilot_cannot_import() -> None:
    def local(number: int) -> int:
        return number

    with pytest.raises(ConsumerError, match="move it to the top level"):
        next(ewms.map(local, [1]))
    with pytest.raises(ConsumerError, match="lambda"):
        next(ewms.map(lambda number: number, [1]))


def test_map_in_a_script(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
        import ewms

        def square(number):
            return number * number

        if __name__ == "__main__":
            print(sum(ewms.map(square, range(10), workers=2)))
        """)
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=240, check=False)
    assert (done.stdout.strip(), done.returncode) == ("285", 0), done.stderr


def test_an_unguarded_script_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import ewms\n\ndef square(n):\n    return n * n\n\nprint(list(ewms.map(square, [1], workers=1)))\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode != 0
    assert '__name__ == "__main__"' in done.stderr.splitlines()[-1]


def test_run_a_workflow_made_in_python(tmp_path: Path) -> None:
    flow = ewms.Workflow("digits").task(f"{HERE}:count_to", name="count", input="numbers", output="parts")
    flow.task(f"{HERE}:square", name="square", input="parts", output="squares")
    result = ewms.run(flow, events=[2, 0, 3], out=tmp_path / "out", workers=2)
    assert result.summary["events"]["accepted"] == 8
    assert list(result.outcomes()) == [
        {"id": "0/count/0", "output": 0},
        {"id": "0/count/1", "output": 1},
        {"id": "2/count/0", "output": 0},
        {"id": "2/count/1", "output": 1},
        {"id": "2/count/2", "output": 4},
    ]
    with pytest.raises(InputError, match="holds a workflow already"):
        ewms.run(flow, events=[2], out=tmp_path / "out")


class Bisection(ewms.Application[ewms.Event, ewms.Outcome, dict[str, float]]):
    """Finds the root of x*x = 2 by asking pilots for the function's value: every round waits for the one before."""

    consumer = f"{HERE}:parabola"

    def __init__(self, inputs: Sequence[Path] = (), rounds: int = 12) -> None:
        super().__init__(inputs)
        self.rounds = rounds
        self.low, self.high = 0.0, 2.0
        self.done = 0

    def start(self) -> Iterator[ewms.Event]:
        yield ewms.Event(id="round-0", body=1.0)

    def advance(self, outcome: ewms.Outcome) -> Iterable[ewms.Event]:
        middle = (self.low + self.high) / 2
        self.low, self.high = (middle, self.high) if outcome.value < 0 else (self.low, middle)
        self.done += 1
        if self.done < self.rounds:
            yield ewms.Event(id=f"round-{self.done}", body=(self.low + self.high) / 2)

    def assemble(self) -> dict[str, float]:
        return {"root": (self.low + self.high) / 2}


def test_run_an_application_that_refines(tmp_path: Path) -> None:
    result = ewms.run(Bisection, out=tmp_path / "out", workers=1)
    assert result.summary["events"]["accepted"] == 12
    root = float(result.product.joinpath("product.json").read_text().split(":")[1].strip(" }\n"))
    assert abs(root - 2**0.5) < 2**-11


def test_numpy_pydantic_and_large_bodies_go_through(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    arrays = [numpy.arange(3.0), numpy.full(200_000, 1.5)]  # the second is 1.6 MB: by reference
    assert list(ewms.map(f"{HERE}:array_sum", arrays, workers=1)) == [3.0, 300_000.0]
    doubled = list(ewms.map(f"{HERE}:array_double", arrays, workers=1))
    assert [array.tolist() for array in doubled] == [(2 * array).tolist() for array in arrays]
    assert list(ewms.map(f"{HERE}:area", [{"width": 2, "height": 3.5}], workers=1)) == [{"area": 7.0}]

"""The order check passes what is sound and finds what is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ewms
from ewms.core.errors import SpecError
from ewms.local.api import loaded_from
from ewms.testing import Faults, check_order_independence, simulate

HERE = str(Path(__file__))
Base = ewms.Application[ewms.Event, ewms.Outcome, Any]


def double(number: int) -> int:
    return 2 * number


def halves(number: int) -> Iterator[int]:
    if number < 0:
        raise ValueError("negative")
    yield from (number // 2, number - number // 2)


class Doubles(Base):
    consumer = f"{HERE}:double"

    def __init__(self, inputs: Any = ()) -> None:
        super().__init__(inputs)
        self.values: list[int] = []

    def start(self) -> Iterator[ewms.Event]:
        for number in range(20):
            yield ewms.Event(id=str(number), body=number)

    def advance(self, outcome: ewms.Outcome) -> Iterable[ewms.Event]:
        self.values.append(outcome.value)
        return ()

    def assemble(self) -> Any:
        return sorted(self.values)


class InOrderOfArrival(Doubles):
    def assemble(self) -> Any:
        return list(self.values)


class CountsLetters(Doubles):
    def __init__(self, inputs: Any = ()) -> None:
        super().__init__(inputs)
        self.dead: list[str] = []

    def buried(self, letter: ewms.DeadLetter) -> Iterable[ewms.Event]:
        self.dead.append(letter.id)
        yield ewms.Event(id=f"instead-of-{letter.id}", body=1000)

    def assemble(self) -> Any:
        return {"values": sorted(self.values), "dead": sorted(self.dead)}


def test_a_sound_application_passes() -> None:
    assert check_order_independence(Doubles) == [2 * number for number in range(20)]


def test_an_application_that_depends_on_arrival_is_found() -> None:
    with pytest.raises(AssertionError, match="product differ"):
        check_order_independence(InOrderOfArrival)


def test_dead_letters_can_be_answered() -> None:
    product = check_order_independence(CountsLetters, dead=["3", "4"])
    assert product["dead"] == ["3", "4"]
    assert product["values"][-2:] == [2000, 2000]


def test_an_instance_is_refused() -> None:
    with pytest.raises(SpecError, match="class"):
        check_order_independence(Doubles())


@pytest.mark.parametrize("seed", range(5))
def test_a_graph_under_faults_loses_and_repeats_nothing(seed: int) -> None:
    flow = ewms.Workflow("graph").task(f"{HERE}:halves", name="halves", input="numbers", output="parts")
    flow.task(f"{HERE}:double", name="double", input="parts", output="results")
    loaded, make = loaded_from(flow, (), [10, -1, 7])
    faults = Faults(failure=0.2, vanish=0.2, duplicate=0.2, restart=0.2)
    result = simulate(loaded, make, faults=faults, seed=seed)
    assert result.outputs == {"halves": [5, 5, 3, 4], "double": [10, 10, 6, 8]}
    assert [(letter.task, letter.id) for letter in result.dead_letters] == [("halves", "1")]
    assert (result.events["accepted"], result.events["dead_lettered"]) == (6, 1)

from __future__ import annotations

from bench.case import Case
from bench.rounds import run_rounds
from bench.sample import Sample


def _case(name: str, order: list[str], *, most_rounds: int | None = None) -> Case:
    def measure(events: int) -> Sample:
        order.append(name)
        return Sample(float(events))

    return Case(name=name, title=name, unit="", events=7, measure=measure, setup="", most_rounds=most_rounds)


def test_rounds_are_interleaved_and_rare_cases_drop_out() -> None:
    order: list[str] = []
    told: list[tuple[int, str]] = []
    cases = [_case("a", order), _case("b", order, most_rounds=1), _case("c", order)]

    samples = run_rounds(cases, 2, None, lambda number, case, sample: told.append((number, case.name)))

    assert order == ["a", "b", "c", "a", "c"]
    assert told == [(1, "a"), (1, "b"), (1, "c"), (2, "a"), (2, "c")]
    assert {name: len(taken) for name, taken in samples.items()} == {"a": 2, "b": 1, "c": 2}


def test_the_number_of_events_is_the_cases_own_unless_given() -> None:
    assert run_rounds([_case("a", [])], 1, None, lambda *_: None)["a"] == [Sample(7.0)]
    assert run_rounds([_case("a", [])], 1, 3, lambda *_: None)["a"] == [Sample(3.0)]

from __future__ import annotations

import pytest

from bench.case import Aim, Case, Goal
from bench.report import render, shown
from bench.sample import Sample


def _case(name: str, goal: Goal | None = None) -> Case:
    return Case(name=name, title=f"the {name}", unit="tasks/s", events=1000, measure=Sample, setup="plain", goal=goal)


@pytest.mark.parametrize(
    ("value", "text"), [(123456.7, "123,457"), (1000.0, "1,000"), (94.96, "95.0"), (1.448, "1.45"), (0.5, "0.50")]
)
def test_figures_are_shown_with_three_digits_or_so(value: float, text: str) -> None:
    assert shown(value) == text


def test_the_page_holds_facts_medians_ranges_ratios_and_verdicts() -> None:
    cases = [_case("ewms", Goal(Aim.BELOW, 300.0)), _case("parsl")]
    samples = {
        "ewms": [Sample(50.0), Sample(40.0), Sample(90.0, note="quiet")],
        "parsl": [Sample(1.0), Sample(1.0), Sample(1.0, version="1.2")],
    }

    page = render(cases, samples, None, {"processor": "abacus"}, "Median of 3 rounds")

    assert "| processor | abacus |" in page
    assert "| the ewms | 1,000 | 3 | **50.0** (40.0 to 90.0) | tasks/s | below 300.0: met | quiet |" in page
    assert "| the ewms | the parsl | **50.0** (40.0 to 90.0) | at least 100.0: **missed** |" in page
    assert "- **the parsl** 1.2 (`parsl`): plain." in page


def test_without_a_peer_there_are_no_ratios() -> None:
    assert "## Ratios" not in render([_case("ewms")], {"ewms": [Sample(1.0)]}, 5, {}, "One round")

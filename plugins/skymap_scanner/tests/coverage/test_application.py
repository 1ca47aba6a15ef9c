"""The study as a workflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ewms
from ewms.testing import check_order_independence
from skymap_scanner.coverage.application import Coverage
from skymap_scanner.coverage.levels import shipped_studies
from skymap_scanner.errors import ScanError


def study(**parameters: Any) -> ewms.WorkflowSpec:
    application = f"{Coverage.__module__}:{Coverage.__qualname__}"
    return ewms.WorkflowSpec(name="coverage", application=application, parameters={"plots": False} | parameters)


def test_the_study_does_not_depend_on_the_order_of_arrival_and_counts_what_is_missing() -> None:
    product = check_order_independence(study(events=3, seed=1003), dead=["1005"], seeds=1)
    report = json.loads(product["coverage.json"])
    assert (report["wilks"]["90"]["events"], report["missing"], report["seeds"]) == (2, 1, [1003, 1005])
    assert product["events.jsonl"].count("\n") == 2
    levels = json.loads(product["levels.json"])
    assert {reco: study for reco, study in levels.items() if reco != "mpe"} == {"spe": shipped_studies()["spe"]}
    assert levels["mpe"]["provenance"]["events"] == 2
    assert sorted(levels["mpe"]["levels"]) == ["0.5", "0.9"]


def test_a_study_of_nothing_says_so() -> None:
    application = Coverage(events=3)
    report = application.summary()
    assert (report["missing"], report["median_separation_degrees"], report["levels_of_these_events"]) == (3, None, {})
    assert application.status() == "0 of 0 inside Wilks' 90 %"
    assert set(application.assemble()) == {"coverage.json", "levels.json", "events.jsonl"}


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"events": 0}, "events is 0"),
        ({"seed": -1}, "seed -1 is out of range"),
        (
            {"seed": 2**62, "events": 10},
            "seed 4611686018427387904 is out of range; give 0 to 92233720368547748 for 10 events",
        ),
        ({"reco": "dummy"}, "coverage cannot be measured for reco 'dummy', which fits no infinite track; use mpe or spe"),
        ({"reco": "mp"}, "did you mean 'mpe'?"),
        ({"inputs": [Path("event.json")]}, "a study simulates its own events; leave out the input event.json"),
    ],
)
def test_a_mistake_is_named(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ScanError) as raised:
        Coverage(**parameters)
    assert words in str(raised.value)

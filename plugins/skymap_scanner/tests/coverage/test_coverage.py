"""How often contours hold the truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ewms
from ewms.testing import check_order_independence
from skymap_scanner.coverage import calibrated_levels
from skymap_scanner.coverage.application import Coverage
from skymap_scanner.coverage.measure import measured
from skymap_scanner.coverage.statistics import calibrated, coverage, interval
from skymap_scanner.detector.coordinates import to_equatorial
from skymap_scanner.errors import ScanError
from skymap_scanner.maps.cells import cells_of
from skymap_scanner.outputs import read_result
from skymap_scanner.reading import native
from skymap_scanner.recos.mpe import Mpe
from skymap_scanner.scanning.workflow import scan_workflow
from skymap_scanner.simulation.sample import random_event


def study(**parameters: Any) -> ewms.WorkflowSpec:
    return ewms.WorkflowSpec(
        name="coverage", application="skymap_scanner.coverage.application:Coverage", parameters={"plots": False} | parameters
    )


def test_fractions_are_counted() -> None:
    found = coverage([0.5, 1.0, 2.0, 9.0], {0.5: 1.0, 0.9: 4.61})
    assert (found["50"]["inside"], found["90"]["inside"], found["90"]["events"]) == (2, 3, 4)
    assert found["90"]["low"] < 0.75 < found["90"]["high"]


def test_intervals_are_wilsons() -> None:
    assert interval(90, 100) == pytest.approx((0.8663, 0.9263), abs=2e-3)
    assert interval(0, 0) == (0.0, 1.0)


def test_calibration_finds_wilks_levels_where_wilks_holds() -> None:
    values = np.random.default_rng(1).chisquare(2, 20_000)
    levels = calibrated(values.tolist())
    assert levels[0.5] == pytest.approx(1.39, abs=0.05)
    assert levels[0.9] == pytest.approx(4.61, abs=0.12)


def test_levels_are_shipped_for_the_default_alone() -> None:
    levels = calibrated_levels("mpe")
    assert sorted(levels) == [0.5, 0.9]
    assert 0.5 < levels[0.5] < levels[0.9] < 20
    assert calibrated_levels("dummy") == {}


def test_an_event_is_measured() -> None:
    found = measured(Mpe, 4)
    assert 0 <= found.two_delta < 12
    assert found.separation < 2
    assert found.modules >= 40
    assert found == measured(Mpe, 4)


def test_the_study_does_not_depend_on_the_order_of_arrival() -> None:
    product = check_order_independence(study(events=3, seed=5), seeds=1)
    report = json.loads(product["coverage.json"])
    assert report["wilks"]["90"]["events"] == 3
    assert report["missing"] == 0
    assert product["events.jsonl"].count("\n") == 3


def test_twenty_events_are_covered_about_as_often_as_they_should() -> None:
    """A look only: 20 events of which 18 are expected; fewer than 14 happen once in 2,000 times."""
    inside = sum(measured(Mpe, seed).two_delta <= calibrated_levels("mpe")[0.9] for seed in range(200_000, 200_020))
    assert inside >= 14


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"events": 0}, "events is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"reco": "dummy"}, "coverage is measured for reconstructions of tracks; use mpe or spe"),
        ({"reco": "mp"}, "did you mean 'mpe'?"),
    ],
)
def test_a_mistake_is_named(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ScanError) as raised:
        Coverage(**parameters)
    assert words in str(raised.value)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_calibrated_90_percent_contour_holds_90_percent_of_fresh_tracks(tmp_path: Path) -> None:
    result = ewms.run(study(events=1000, seed=300_000), out=tmp_path / "out")
    found = result.summary["calibrated"]["90"]
    assert found["events"] == 1000
    assert 0.85 < found["fraction"] < 0.95


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_maps_hold_the_truth_as_often_as_the_fits(tmp_path: Path) -> None:
    """Fifty full scans: the truth's pixel lies inside the calibrated 90 % contour of the map."""
    inside = 0
    for seed in range(300_000, 300_050):
        alert = random_event(seed)
        event = tmp_path / f"{seed}.json"
        event.write_bytes(native.dumps(alert))
        result = ewms.run(scan_workflow({"plots": False}), inputs=[event], out=tmp_path / str(seed))
        (path,) = result.product.glob("run*.npz")
        cells = cells_of(read_result(path).levels)
        assert alert.truth is not None
        ra, dec = to_equatorial(alert.truth.zenith, alert.truth.azimuth, alert.header.mjd)
        direction = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
        inside += bool(cells.two_delta[cells.at(direction)] < calibrated_levels("mpe")[0.9])
    assert inside >= 40

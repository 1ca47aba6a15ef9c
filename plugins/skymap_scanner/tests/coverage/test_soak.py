"""The verification on fresh events, which takes minutes: `make soak` runs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ewms
from skymap_scanner.coverage import calibrated_levels
from skymap_scanner.coverage.application import Coverage
from skymap_scanner.coverage.levels import shipped_studies
from skymap_scanner.detector.coordinates import to_equatorial
from skymap_scanner.maps import SkyMap
from skymap_scanner.outputs import read_result
from skymap_scanner.reading import native
from skymap_scanner.scanning.workflow import scan_workflow
from skymap_scanner.simulation import random_event

FIRST = 300_000
"""Seed of the fresh events; none of them was used for calibration."""

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("reco", ["mpe", "spe"])
def test_the_calibrated_90_percent_contour_holds_the_truth_of_1000_fresh_tracks_90_percent_of_the_time(
    tmp_path: Path, reco: str
) -> None:
    first, last = shipped_studies()[reco]["provenance"]["seeds"]
    assert last < FIRST or first >= FIRST + 1000
    parameters = {"events": 1000, "seed": FIRST, "reco": reco, "plots": False}
    application = f"{Coverage.__module__}:{Coverage.__qualname__}"
    workflow = ewms.WorkflowSpec(name="coverage", application=application, parameters=parameters)
    found = ewms.run(workflow, out=tmp_path / "out").summary["calibrated"]["90"]
    assert found["events"] == 1000
    assert 0.85 < found["fraction"] < 0.95


def test_full_scans_of_50_of_them_hold_the_truth_as_often(tmp_path: Path) -> None:
    """The pixel that holds the truth is inside the contour; 45 are expected, fewer than 39 happen once in 170 samples."""
    levels = [two_delta_at_truth(tmp_path, seed) for seed in range(FIRST, FIRST + 50)]
    inside = np.array(levels) <= calibrated_levels("mpe")[0.9]
    assert inside.sum() >= 39


def two_delta_at_truth(folder: Path, seed: int) -> float:
    alert = random_event(seed)
    event = folder / f"{seed}.json"
    event.write_bytes(native.dumps(alert))
    scan = ewms.run(scan_workflow({"plots": False}), inputs=[event], out=folder / str(seed))
    (written,) = scan.product.glob("*_8_64_512.json")
    skymap = SkyMap.of(read_result(written))
    assert alert.truth is not None
    ra, dec = to_equatorial(alert.truth.zenith, alert.truth.azimuth, alert.header.mjd)
    there = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    return float(skymap.cells.two_delta[skymap.cells.at(there)])

"""The levels that are shipped."""

from __future__ import annotations

import subprocess
import sys

import pytest

from skymap_scanner.coverage import calibrated_levels
from skymap_scanner.coverage.levels import shipped_studies


@pytest.mark.parametrize("reco", ["mpe", "spe"])
def test_levels_are_shipped_for_tracks_and_say_where_they_come_from(reco: str) -> None:
    levels = calibrated_levels(reco)
    assert sorted(levels) == [0.5, 0.9]
    assert 0.5 < levels[0.5] < levels[0.9] < 10.0
    study = shipped_studies()[reco]
    assert study["note"] == "calibrated on simulation (same simulator, no ice systematics)"
    assert study["provenance"]["events"] >= 1000
    assert study["provenance"]["command"].startswith(f"skymap-scanner coverage --reco {reco} ")


def test_a_reconstruction_without_study_has_no_levels() -> None:
    assert calibrated_levels("dummy") == {}
    assert calibrated_levels("../levels") == {}


def test_reading_levels_imports_nothing_heavy() -> None:
    code = "import sys; from skymap_scanner.coverage import calibrated_levels; calibrated_levels('mpe'); print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert not loaded & {"numpy", "scipy", "numba", "matplotlib", "astropy"}

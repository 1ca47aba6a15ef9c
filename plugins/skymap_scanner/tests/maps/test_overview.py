"""The map in numbers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from skymap_scanner.maps import SkyMap, overview, summary
from skymap_scanner.maps.confidence import MILLIPEDE, WILKS, Level, Scheme
from skymap_scanner.result import ScanResult


def test_numbers_of_a_scan(make_scan: Callable[..., ScanResult]) -> None:
    found = summary(make_scan(57.3, 17.2, major=0.5, minor=0.4))
    assert found["best_fit"]["ra"] == pytest.approx(57.3, abs=0.08)
    assert found["best_fit"]["dec"] == pytest.approx(17.2, abs=0.08)
    assert found["interpolated"] == {"ra": pytest.approx(57.3, abs=1e-3), "dec": pytest.approx(17.2, abs=1e-3)}
    assert found["pixels"] == {"8": 768, "64": 768, "512": 1536}
    assert found["contours"]["wilks"]["90"]["area"] == pytest.approx(4.61 * np.pi * 0.2, rel=0.02)
    assert found["contours"]["wilks"]["90"]["cell_area"] == pytest.approx(4.61 * np.pi * 0.2, rel=0.05)
    assert found["contours"]["wilks"]["90"]["loops"] == 1
    assert found["credible_areas"]["90"] == pytest.approx(4.61 * np.pi * 0.2, rel=0.02)
    assert found["errors"]["90"]["radius"] == pytest.approx(np.sqrt(4.61 * 0.2), rel=0.01)
    assert "Millipede" in found["contours"]["millipede_ic160427a"]["note"]
    json.dumps(found, allow_nan=False)


def test_levels_of_a_study_are_labelled(make_scan: Callable[..., ScanResult]) -> None:
    study = Scheme(name="calibrated", note="calibrated on simulation", levels=(Level(probability=0.9, two_delta=8.0),))
    found = overview(SkyMap(make_scan(57.3, 17.2), schemes=(WILKS, study, MILLIPEDE)))
    assert found["contours"]["calibrated"]["note"] == "calibrated on simulation"
    assert found["contours"]["calibrated"]["90"]["area"] == pytest.approx(8.0 * np.pi * 0.06, rel=0.02)


def test_shower_has_no_direction(make_scan: Callable[..., ScanResult]) -> None:
    found = summary(make_scan(57.3, 17.2), classification=SimpleNamespace(kind="cascade"))
    assert found["best_fit"] is None
    assert "shower" in found["note"]
    assert not {"errors", "contours", "interpolated"} & found.keys()
    assert summary(make_scan(57.3, 17.2), classification=SimpleNamespace(kind="track"))["best_fit"] is not None


def test_reconstruction_without_direction(make_scan: Callable[..., ScanResult]) -> None:
    found = summary(dataclasses.replace(make_scan(57.3, 17.2), reco="cascade", gives_direction=False))
    assert found["best_fit"] is None
    assert "cascade" in found["note"]


def test_nothing_yet(make_scan: Callable[..., ScanResult]) -> None:
    found = summary(dataclasses.replace(make_scan(57.3, 17.2), levels={}, complete=False))
    assert found["best_fit"] is None
    assert found["complete"] is False
    assert "no pixel" in found["note"]


def test_pixels_without_value_are_counted(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(57.3, 17.2)
    rows = scan.levels[64].copy()
    rows["llh"][:5] = np.nan
    found = summary(dataclasses.replace(scan, levels={**scan.levels, 64: rows}))
    assert found["pixels_without_value"] == 5
    assert found["best_fit"] == summary(scan)["best_fit"]


def test_unknown_time_is_null(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(57.3, 17.2)
    found = summary(dataclasses.replace(scan, header=dataclasses.replace(scan.header, mjd=float("nan"))))
    assert found["mjd"] is None
    json.dumps(found, allow_nan=False)

"""Two scans side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from skymap_scanner.maps.comparison import compare
from skymap_scanner.result import ScanResult


def changed(scan: ScanResult, column: str, value: float, nside: int = 64) -> ScanResult:
    rows = scan.levels[nside].copy()
    rows[column][3] = value
    return dataclasses.replace(scan, levels={**scan.levels, nside: rows})


def test_scan_agrees_with_itself(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(57.3, 17.2)
    found = compare(scan, scan)
    assert found.is_close
    assert found.separation == 0.0
    assert found.area_ratios == {"50": 1.0, "90": 1.0, "3sigma": 1.0}
    assert {nside: level.pixels for nside, level in found.levels.items()} == {8: 768, 64: 768, 512: 1536}


@pytest.mark.parametrize(("factor", "close"), [(1 + 0.9e-4, True), (1 + 1.1e-4, False), (np.nan, False)])
def test_tolerance_of_likelihoods(make_scan: Callable[..., ScanResult], factor: float, close: bool) -> None:
    scan = make_scan(57.3, 17.2)
    found = compare(changed(scan, "llh", scan.levels[64]["llh"][3] * factor), scan)
    assert found.is_close is close
    assert found.levels[64].different == ({} if close else {"llh": 1})


def test_zero_energy_is_close_to_anything(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(57.3, 17.2)
    energetic = changed(scan, "E_in", 5.0)
    assert compare(changed(energetic, "E_in", 0.0), energetic).is_close
    assert compare(changed(energetic, "E_in", 6.0), energetic).levels[64].different == {"E_in": 1}


def test_columns_that_one_does_not_have_do_not_count(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(57.3, 17.2)
    assert compare(changed(scan, "X", 100.0), scan).is_close


def test_missing_level_and_missing_pixels_are_differences(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(57.3, 17.2)
    found = compare(scan, dataclasses.replace(scan, levels={8: scan.levels[8], 64: scan.levels[64][5:]}))
    assert not found.is_close
    assert (found.only_first, found.only_second) == ((512,), ())
    assert (found.levels[64].only_first, found.levels[64].only_second) == (5, 0)
    assert found.levels[8].is_close


def test_separation_and_areas(make_scan: Callable[..., ScanResult]) -> None:
    found = compare(make_scan(57.3, 0.0, major=0.3, minor=0.3), make_scan(58.3, 0.0, major=0.6, minor=0.6))
    assert found.separation == pytest.approx(np.radians(1.0), abs=np.radians(0.15))
    assert found.area_ratios["90"] == pytest.approx(4.0, rel=0.05)


def test_scan_without_values_has_no_separation(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(57.3, 17.2)
    found = compare(scan, dataclasses.replace(scan, levels={}))
    assert found.separation is None
    assert found.area_ratios == {}
    assert found.only_first == (8, 64, 512)

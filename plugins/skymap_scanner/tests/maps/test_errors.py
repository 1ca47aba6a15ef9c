"""Error boxes, at the poles and across right ascension 0 too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from skymap_scanner.maps.confidence import WILKS
from skymap_scanner.maps.errors import ErrorBox
from skymap_scanner.maps.skymap import SkyMap
from skymap_scanner.maps.sphere import radius_of_cap
from skymap_scanner.result import ScanResult


def box_90(scan: ScanResult) -> ErrorBox:
    skymap = SkyMap(scan)
    assert skymap.best is not None
    return skymap.error(skymap.best, WILKS.levels[1])


@pytest.mark.parametrize("ra", [0.0, 0.02, 359.98, 123.0])
@pytest.mark.parametrize("dec", [0.0, 60.0, -60.0])
def test_box_of_an_ellipse(make_scan: Callable[..., ScanResult], ra: float, dec: float) -> None:
    box = box_90(make_scan(ra, dec, major=0.6, minor=0.3, angle=0.0))
    root, pixel = np.sqrt(4.61), 0.115
    stretched = 1 / np.cos(np.radians(dec))
    assert np.degrees(box.ra_plus + box.ra_minus) == pytest.approx(2 * 0.6 * root * stretched, rel=0.03)
    assert np.degrees(box.dec_plus + box.dec_minus) == pytest.approx(2 * 0.3 * root, rel=0.04)
    assert np.degrees(box.ra_plus - box.ra_minus) == pytest.approx(0.0, abs=2 * pixel * stretched)
    assert np.degrees(box.dec_plus - box.dec_minus) == pytest.approx(0.0, abs=2 * pixel)
    assert np.degrees(box.radius) == pytest.approx(root * np.sqrt(0.6 * 0.3), rel=0.02)


@pytest.mark.parametrize("sign", [1, -1])
def test_region_round_a_pole_has_all_right_ascensions(make_scan: Callable[..., ScanResult], sign: int) -> None:
    box = box_90(make_scan(77.0, sign * 89.8, major=0.3, minor=0.3))
    assert (box.ra_plus, box.ra_minus) == (np.pi, np.pi)
    towards, away = (box.dec_plus, box.dec_minus) if sign > 0 else (box.dec_minus, box.dec_plus)
    assert np.degrees(towards) == pytest.approx(0.2, abs=0.1)
    assert np.degrees(away) == pytest.approx(0.3 * np.sqrt(4.61), abs=0.1)


def test_all_islands_are_inside(make_scan: Callable[..., ScanResult]) -> None:
    one, other = (make_scan(ra, 0.0, major=4.0, minor=4.0, nsides=((32, 0),)) for ra in (350.0, 40.0))
    rows = one.levels[32].copy()
    rows["llh"] = np.minimum(rows["llh"], other.levels[32]["llh"] + 0.5)
    box = box_90(ScanResult(header=one.header, reco="mpe", levels={32: rows}, complete=True))
    assert np.degrees(box.ra_plus) == pytest.approx(50 + 4 * np.sqrt(3.61), abs=1.5)
    assert np.degrees(box.ra_minus) == pytest.approx(4 * np.sqrt(4.61), abs=1.5)


def test_radius_of_a_cap() -> None:
    assert radius_of_cap(2 * np.pi * (1 - np.cos(0.3))) == pytest.approx(0.3)
    assert radius_of_cap(1e-12 * np.pi) == pytest.approx(1e-6)
    assert radius_of_cap(4 * np.pi + 1e-9) == pytest.approx(np.pi)
    assert radius_of_cap(-1e-20) == 0.0

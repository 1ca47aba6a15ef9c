"""The angular error floor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from skymap_scanner.maps.cells import cells_of
from skymap_scanner.maps.confidence import WILKS
from skymap_scanner.maps.probability import probability_of
from skymap_scanner.maps.skymap import SkyMap
from skymap_scanner.maps.smoothing import smoothed
from skymap_scanner.maps.sphere import SQUARE_DEGREES
from skymap_scanner.result import ScanResult


@pytest.mark.parametrize(("ra", "dec"), [(40.0, 20.0), (0.0, 89.95), (359.95, -42.0)])
@pytest.mark.parametrize(("width", "floor"), [(0.3, 0.5), (0.05, 0.2), (0.3, 3.0)])
def test_widths_add_in_quadrature(
    make_scan: Callable[..., ScanResult], ra: float, dec: float, width: float, floor: float
) -> None:
    skymap = SkyMap(make_scan(ra, dec, major=width, minor=width), floor=np.radians(floor))
    for level in WILKS.levels:
        truth = level.two_delta * np.pi * (width**2 + floor**2)
        assert skymap.contour(level).area * SQUARE_DEGREES == pytest.approx(truth, rel=0.04)


def test_all_probability_and_all_sky_are_kept(make_scan: Callable[..., ScanResult]) -> None:
    cells = smoothed(cells_of(make_scan(200.0, 5.0).levels), np.radians(0.4))
    assert cells.area.sum() == pytest.approx(4 * np.pi)
    assert probability_of(cells).sum() == pytest.approx(1.0)
    assert np.isfinite(cells.llh).all()


def test_far_sky_keeps_its_likelihood(make_scan: Callable[..., ScanResult]) -> None:
    before = cells_of(make_scan(200.0, 5.0).levels)
    after = smoothed(before, np.radians(0.4))
    far = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.8, 0.0, -0.6]])
    difference = after.llh[after.at(far)] - before.llh[before.at(far)]
    assert np.ptp(difference) == pytest.approx(0.0, abs=1e-6)


def test_floor_far_below_the_pixels_changes_nothing(make_scan: Callable[..., ScanResult]) -> None:
    cells = cells_of(make_scan(200.0, 5.0).levels)
    assert smoothed(cells, np.radians(0.01)) is cells


def test_unknown_sky_stays_unknown(make_scan: Callable[..., ScanResult]) -> None:
    pointed = {512: make_scan(10.0, 10.0, major=0.2, minor=0.2).levels[512]}
    cells = smoothed(cells_of(pointed), np.radians(0.2))
    assert not cells.known[cells.at(np.array([[-1.0, 0.0, 0.0]]))][0]
    assert probability_of(cells).sum() == pytest.approx(1.0)

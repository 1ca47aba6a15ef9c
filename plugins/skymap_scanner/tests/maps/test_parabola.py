"""The minimum between the pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from skymap_scanner.maps.best import BestFit
from skymap_scanner.maps.cells import cells_of
from skymap_scanner.maps.parabola import interpolated
from skymap_scanner.maps.skymap import SkyMap
from skymap_scanner.maps.sphere import separation, vectors_of
from skymap_scanner.result import ScanResult


@pytest.mark.parametrize(("ra", "dec"), [(57.3, 17.2), (0.001, -0.003), (33.0, 89.97), (33.0, -89.99)])
def test_minimum_of_a_bowl_is_found(make_scan: Callable[..., ScanResult], ra: float, dec: float) -> None:
    skymap = SkyMap(make_scan(ra, dec))
    assert skymap.best is not None
    found = interpolated(skymap.best, skymap.cells)
    assert found is not None
    truth = vectors_of(np.radians(ra), np.radians(dec))
    assert np.degrees(separation(vectors_of(*found), truth)) < 0.001
    assert np.degrees(separation(vectors_of(skymap.best.ra, skymap.best.dec), truth)) < 0.1


@pytest.mark.parametrize("shape", ["saddle", "slope", "alone"])
def test_no_bowl_no_minimum(make_scan: Callable[..., ScanResult], shape: str) -> None:
    cells = cells_of(make_scan(90.0, 0.0, nsides=((32, 0),)).levels)
    x, _, z = cells.centres.T
    heights = {"saddle": x**2 - z**2, "slope": 3 * x + z**2, "alone": np.where(x**2 + z**2 < 1e-3, 0.0, np.nan)}[shape]
    best = BestFit(nside=32, index=0, llh=0.0, ra=np.pi / 2, dec=0.0)
    assert interpolated(best, dataclasses.replace(cells, llh=heights)) is None

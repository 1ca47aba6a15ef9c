"""Contours against ellipses whose area is known, anywhere on the sky."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from skymap_scanner.maps.cells import cells_of
from skymap_scanner.maps.confidence import MILLIPEDE, WILKS
from skymap_scanner.maps.contour import Contour, contour_of
from skymap_scanner.maps.mesh import mesh_of
from skymap_scanner.maps.sphere import SQUARE_DEGREES, separation, vectors_of
from skymap_scanner.result import ROW, ScanResult

PLACES = [(57.3, 17.2), (0.0, 0.0), (359.99, -45.0), (123.0, 90.0), (10.0, -90.0), (180.0, 89.7), (45.0, 41.8)]
"""Right ascension and declination: nowhere special, the edges of the coordinates, and a corner of HEALPix."""


def polygon_area(loop: NDArray[np.float64], pole: NDArray[np.float64]) -> float:
    """Signed square degrees, positive when the loop goes counterclockwise round its inside."""
    after = np.roll(loop, -1, axis=0)
    volume = np.cross(loop, after) @ pole
    return (
        float(2 * np.arctan2(volume, 1 + loop @ pole + after @ pole + np.sum(loop * after, axis=1)).sum()) * SQUARE_DEGREES
    )


def assert_closed(contour: Contour, longest: float) -> None:
    for loop in contour.loops:
        np.testing.assert_allclose(np.linalg.norm(loop, axis=1), 1.0)
        assert np.degrees(separation(loop, np.roll(loop, -1, axis=0))).max() < longest


@pytest.mark.parametrize(("ra", "dec"), PLACES)
@pytest.mark.parametrize("level", WILKS.levels, ids=lambda level: str(level.key))
def test_area_of_an_ellipse(make_scan: Callable[..., ScanResult], ra: float, dec: float, level: object) -> None:
    two_delta = level.two_delta  # type: ignore[attr-defined]
    cells = cells_of(make_scan(ra, dec, major=0.5, minor=0.3).levels)
    contour = contour_of(mesh_of(cells), two_delta)
    truth = two_delta * np.pi * 0.5 * 0.3
    assert contour.area * SQUARE_DEGREES == pytest.approx(truth, rel=0.05 if two_delta < 2 else 0.015)
    assert len(contour.loops) == 1
    assert_closed(contour, longest=0.6)
    assert polygon_area(contour.loops[0], vectors_of(np.radians(ra), np.radians(dec))) == pytest.approx(
        contour.area * SQUARE_DEGREES, rel=1e-3
    )


@settings(max_examples=20, deadline=None)
@given(ra=st.floats(0, 360), sine=st.floats(-1, 1), major=st.floats(0.5, 1.0), ratio=st.floats(0.6, 1.0))
def test_area_anywhere(make_scan: Callable[..., ScanResult], ra: float, sine: float, major: float, ratio: float) -> None:
    scan = make_scan(ra, float(np.degrees(np.arcsin(sine))), major=major, minor=major * ratio, nsides=((8, 0), (256, 12)))
    contour = contour_of(mesh_of(cells_of(scan.levels)), 4.61)
    assert contour.area * SQUARE_DEGREES == pytest.approx(4.61 * np.pi * major**2 * ratio, rel=0.06)
    assert len(contour.loops) == 1


def test_order_of_rows_does_not_move_the_contour(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(0.1, -30.0)
    shuffled = {
        nside: np.random.default_rng(1).permutation(rows) for nside, rows in sorted(scan.levels.items(), reverse=True)
    }
    one, other = (contour_of(mesh_of(cells_of(levels)), 4.61) for levels in (scan.levels, shuffled))
    assert one.area == other.area
    np.testing.assert_array_equal(one.loops[0], other.loops[0])


def test_two_minima_are_two_islands(make_scan: Callable[..., ScanResult]) -> None:
    one, other = (make_scan(ra, 10.0, major=6.0, minor=6.0, nsides=((32, 0),)).levels[32] for ra in (350.0, 40.0))
    both = one.copy()
    both["llh"] = np.minimum(one["llh"], other["llh"])
    contour = contour_of(mesh_of(cells_of({32: both})), 4.61)
    assert len(contour.loops) == 2
    assert contour.area * SQUARE_DEGREES == pytest.approx(2 * 4.61 * np.pi * 36, rel=0.05)


def test_hole_is_a_loop_of_its_own(make_scan: Callable[..., ScanResult]) -> None:
    rows = make_scan(80.0, 0.0, major=5.0, minor=5.0, nsides=((32, 0),)).levels[32].copy()
    rows["llh"] = np.abs(rows["llh"] - 1000 - 4.5)
    contour = contour_of(mesh_of(cells_of({32: rows})), 3.0)
    pole = vectors_of(np.radians(80.0), 0.0)
    areas = [polygon_area(loop, pole) for loop in contour.loops]
    assert len(areas) == 2
    assert areas[0] > 0 > areas[1]
    assert sum(areas) == pytest.approx(contour.area * SQUARE_DEGREES, rel=0.01)
    # 2 |r^2 / 50 - 4.5| < 3 is a ring of 25 (6 to 3) square degrees times pi.
    assert contour.area * SQUARE_DEGREES == pytest.approx(150 * np.pi, rel=0.05)


def test_region_larger_than_half_the_sky(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(30.0, 60.0, major=60.0, minor=60.0, nsides=((16, 0),))
    contour = contour_of(mesh_of(cells_of(scan.levels)), 4.61)
    radius = np.radians(60.0) * np.sqrt(4.61)
    assert contour.area == pytest.approx(2 * np.pi * (1 - np.cos(radius)), rel=0.01)


def test_everything_below_the_level_is_the_whole_sky() -> None:
    rows = np.zeros(12, dtype=ROW)
    rows["index"] = np.arange(12)
    contour = contour_of(mesh_of(cells_of({1: rows})), 1.39)
    assert contour.loops == ()
    assert contour.area == pytest.approx(4 * np.pi)


def test_unknown_sky_is_outside(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(100.0, 0.0, major=2.0, minor=2.0, nsides=((8, 0), (64, 12)))
    pointed = {64: scan.levels[64]}
    contour = contour_of(mesh_of(cells_of(pointed)), 4.61)
    assert len(contour.loops) == 1
    assert contour.area * SQUARE_DEGREES == pytest.approx(4.61 * np.pi * 4, rel=0.05)


@pytest.mark.parametrize("nside", [1, 8, 512])
def test_first_pixel_of_a_scan_is_all_there_is(nside: int) -> None:
    rows = np.zeros(1, dtype=ROW)
    rows["index"] = 5
    contour = contour_of(mesh_of(cells_of({nside: rows})), 4.61)
    pixel = np.pi / 3 / nside**2
    assert len(contour.loops) == 1
    assert 0.2 * pixel < contour.area < 1.2 * pixel


def test_region_cut_by_unknown_sky_ends_there(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(100.0, 0.0, major=9.0, minor=9.0, nsides=((8, 0), (64, 12)))
    cells = cells_of({64: scan.levels[64]})
    contour = contour_of(mesh_of(cells), 11.83)
    assert contour.area == pytest.approx(cells.area[cells.two_delta < 11.83].sum(), rel=0.05)


def test_pixels_without_value_leave_the_contour_in_place(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(250.0, 33.0, major=1.0, minor=1.0)
    rows = scan.levels[512].copy()
    rows["llh"][np.random.default_rng(3).random(len(rows)) < 0.1] = np.nan
    holed = dataclasses.replace(scan, levels={**scan.levels, 512: rows})
    areas = [contour_of(mesh_of(cells_of(one.levels)), 11.83).area for one in (scan, holed)]
    assert areas[1] == pytest.approx(areas[0], rel=0.1)


def test_levels_are_those_of_the_literature() -> None:
    assert {level.key: level.two_delta for level in WILKS.levels} == {"50": 1.39, "90": 4.61, "3sigma": 11.83}
    for level in WILKS.levels:
        assert 1 - np.exp(-level.two_delta / 2) == pytest.approx(level.probability, abs=1e-3)
    assert {level.key: level.two_delta for level in MILLIPEDE.levels} == {"50": 22.2, "90": 64.2}
    assert "Millipede" in MILLIPEDE.note

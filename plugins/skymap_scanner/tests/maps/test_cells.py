"""Cells cover the sky exactly once, hold the finest value there is, and depend on no order."""

from __future__ import annotations

from collections.abc import Callable

import healpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from skymap_scanner.maps.cells import Cells, cells_of
from skymap_scanner.result import ROW, ScanResult

Levels = dict[int, NDArray[np.void]]


@st.composite
def levels(draw: st.DrawFn) -> Levels:
    """Any pixels of a few nsides, some without value."""
    found = {}
    for nside in draw(st.lists(st.sampled_from([1, 2, 4, 16, 64, 4096]), unique=True, max_size=4)):
        index = draw(st.lists(st.integers(0, 12 * nside**2 - 1), unique=True, max_size=20))
        rows = np.zeros(len(index), dtype=ROW)
        rows["index"] = index
        rows["llh"] = [draw(st.sampled_from([np.nan, np.inf, 1.0, 2.5, 1e6])) for _ in index]
        found[nside] = rows
    return found


def assert_covers_once(cells: Cells) -> None:
    """In the sequence along the finest pixels, each cell begins where the one before ends."""
    first = [int(index) << (2 * (29 - int(order))) for order, index in zip(cells.order, cells.index, strict=True)]
    width = [1 << (2 * (29 - int(order))) for order in cells.order]
    along = sorted(zip(first, width, strict=True))
    assert [begin for begin, _ in along] == [0, *np.cumsum([w for _, w in along], dtype=object)[:-1]]
    assert sum(width) == 12 << 58


@settings(max_examples=60, deadline=None)
@given(levels())
def test_sky_is_covered_exactly_once(found: Levels) -> None:
    cells = cells_of(found)
    assert_covers_once(cells)
    assert (np.diff(cells.uniq) > 0).all()
    assert cells.area.sum() == pytest.approx(4 * np.pi)


@settings(max_examples=60, deadline=None)
@given(levels(), st.randoms(use_true_random=False))
def test_order_of_rows_and_levels_does_not_matter(found: Levels, random: object) -> None:
    shuffled = dict(
        reversed([(nside, rows[np.random.default_rng(nside).permutation(len(rows))]) for nside, rows in found.items()])
    )
    one, other = cells_of(found), cells_of(shuffled)
    np.testing.assert_array_equal(one.uniq, other.uniq)
    np.testing.assert_array_equal(one.llh, other.llh)


@settings(max_examples=60, deadline=None)
@given(levels(), st.floats(0, 2 * np.pi), st.floats(-1, 1))
def test_finest_value_holds(found: Levels, ra: float, sine: float) -> None:
    theta = float(np.arccos(sine))
    expected = np.nan
    for nside, rows in sorted(found.items()):
        here = rows[rows["index"] == healpy.ang2pix(nside, theta, ra)]["llh"]
        expected = here[0] if np.isfinite(here).any() else expected
    cells = cells_of(found)
    vector = np.array([[np.sin(theta) * np.cos(ra), np.sin(theta) * np.sin(ra), np.cos(theta)]])
    # A direction on the edge of two pixels may belong to either.
    if healpy.ang2pix(4096, theta, ra) == healpy.vec2pix(4096, *vector[0]):
        np.testing.assert_equal(cells.llh[cells.at(vector)[0]], expected)


def test_deep_level_costs_few_cells() -> None:
    rows = np.zeros(1, dtype=ROW)
    rows["index"] = 12345678
    cells = cells_of({1: np.zeros(0, dtype=ROW), 4096: rows})
    assert len(cells.order) == 12 + 3 * 12
    assert cells.known.sum() == 1


def test_nothing_scanned_is_twelve_empty_cells() -> None:
    cells = cells_of({})
    assert_covers_once(cells)
    assert not cells.known.any()
    assert np.isnan(cells.two_delta).all()


def test_complete_scan_keeps_its_pixels(make_scan: Callable[..., ScanResult]) -> None:
    scan = make_scan(10.0, 20.0)
    cells = cells_of(scan.levels)
    assert {order: int((cells.order == order).sum()) for order in (3, 6, 9)} == {3: 768 - 12, 6: 768 - 24, 9: 1536}
    assert len(cells.order) == 768 - 12 + 768 - 24 + 1536
    np.testing.assert_array_equal(np.sort(cells.llh[cells.order == 9]), np.sort(scan.levels[512]["llh"]))


def test_centres_are_those_of_healpy(make_scan: Callable[..., ScanResult]) -> None:
    cells = cells_of(make_scan(200.0, -70.0, nsides=((8, 0), (64, 12), (4096, 2))).levels)
    for order in np.unique(cells.order):
        of = cells.order == order
        expected = np.stack(healpy.pix2vec(1 << int(order), cells.index[of], nest=True), axis=-1)
        np.testing.assert_allclose(cells.centres[of], expected, atol=1e-14)
    np.testing.assert_array_equal(cells.at(cells.centres), np.arange(len(cells.order)))

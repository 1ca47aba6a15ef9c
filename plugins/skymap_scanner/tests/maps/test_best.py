"""Which pixel is best."""

from __future__ import annotations

import healpy
import numpy as np
import pytest
from numpy.typing import NDArray

from skymap_scanner.maps.best import best_fit
from skymap_scanner.result import ROW


def level(values: dict[int, float]) -> NDArray[np.void]:
    rows = np.zeros(len(values), dtype=ROW)
    rows["index"], rows["llh"] = list(values), list(values.values())
    return rows


def test_nan_never_wins_and_never_hides_a_level() -> None:
    best = best_fit({1: level({0: 5.0, 1: np.nan}), 2: level({3: np.nan, 7: 2.0, 9: 4.0}), 4: level({8: np.nan})})
    assert best is not None
    assert (best.nside, best.index, best.llh) == (2, 7, 2.0)
    theta, phi = healpy.pix2ang(2, 7)
    assert (best.ra, best.dec) == pytest.approx((phi, np.pi / 2 - theta))


def test_infinity_is_no_value() -> None:
    assert best_fit({1: level({0: np.inf, 1: -np.inf})}) is None


def test_ties_go_to_the_coarsest_nside_then_the_lowest_index() -> None:
    best = best_fit({4: level({0: 1.0}), 2: level({9: 1.0, 5: 1.0, 7: 1.0}), 1: level({0: 3.0})})
    assert best is not None
    assert (best.nside, best.index) == (2, 5)


def test_coarse_pixel_may_win_over_its_children() -> None:
    best = best_fit({1: level({0: 1.0}), 2: level(dict.fromkeys(range(48), 2.0))})
    assert best is not None
    assert (best.nside, best.index) == (1, 0)


@pytest.mark.parametrize("levels", [{}, {1: level({})}, {1: level({0: np.nan})}])
def test_no_value_no_best_fit(levels: dict[int, NDArray[np.void]]) -> None:
    assert best_fit(levels) is None

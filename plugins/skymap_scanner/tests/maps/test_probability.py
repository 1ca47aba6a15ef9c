"""Probabilities and credible regions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymap_scanner.maps.cells import cells_of
from skymap_scanner.maps.probability import credible_area, probability_of
from skymap_scanner.maps.sphere import SQUARE_DEGREES
from skymap_scanner.result import ROW, ScanResult


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.just(float("nan")), st.floats(-1e6, 1e6)), min_size=12, max_size=12))
def test_probabilities_sum_to_one(values: list[float]) -> None:
    rows = np.zeros(12, dtype=ROW)
    rows["index"], rows["llh"] = np.arange(12), values
    cells = cells_of({1: rows})
    probability = probability_of(cells)
    assert probability.sum() == pytest.approx(1.0 if cells.known.any() else 0.0)
    assert (probability[~cells.known] == 0).all()
    if cells.known.any():
        assert probability[np.nanargmin(cells.llh)] == probability.max()


@pytest.mark.parametrize("content", [0.5, 0.9])
def test_credible_area_of_a_gaussian(make_scan: Callable[..., ScanResult], content: float) -> None:
    cells = cells_of(make_scan(57.0, -20.0, major=0.5, minor=0.4).levels)
    truth = -2 * np.log(1 - content) * np.pi * 0.5 * 0.4
    assert credible_area(cells, probability_of(cells), content) * SQUARE_DEGREES == pytest.approx(truth, rel=0.02)


def test_without_values_nothing_is_excluded() -> None:
    cells = cells_of({})
    assert credible_area(cells, probability_of(cells), 0.9) == pytest.approx(4 * np.pi)

"""Where the modules are."""

from __future__ import annotations

import numpy as np
import pytest

from skymap_scanner.detector.geometry import FIRST_DEEPCORE_STRING, modules


def test_the_modules_that_work() -> None:
    found = modules()
    assert found.position.shape == (5083, 3)
    assert len({*zip(found.string.tolist(), found.om.tolist(), strict=True)}) == 5083
    assert set(found.string.tolist()) == set(range(1, 87))
    assert (found.om.min(), found.om.max()) == (1, 60)
    order = np.lexsort((found.om, found.string))
    assert np.array_equal(order, np.arange(5083))
    assert found.position[:, 2].min() == -512.82
    assert found.position[:, 2].max() == 524.56


def test_more_sensitive_modules_are_deepcores() -> None:
    found = modules()
    assert set(found.rde.tolist()) == {1.0, 1.35}
    strings, count = np.unique(found.string[found.rde > 1], return_counts=True)
    assert strings.tolist() == [36, 43, *range(FIRST_DEEPCORE_STRING, 87)]  # 36 is the middle of DeepCore
    assert count.tolist() == [14, 1, 12, 14, 60, 60, 60, 60, 60, 58]


def test_distances_are_those_of_the_detector() -> None:
    found = modules()
    places = np.array([found.position[found.string == string][0, :2] for string in range(1, 87)])
    apart = np.linalg.norm(places[:, None] - places, axis=-1)
    np.fill_diagonal(apart, np.inf)
    standard = apart[: FIRST_DEEPCORE_STRING - 1, : FIRST_DEEPCORE_STRING - 1].min(axis=0)
    assert np.median(standard) == pytest.approx(124.3, abs=1)
    assert 97 < standard.min() < standard.max() < 130
    dense = apart[FIRST_DEEPCORE_STRING - 1 :].min(axis=1)
    assert 40 < dense.min() < dense.max() < 60
    along = -np.diff(found.position[found.string == 1, 2])
    assert np.median(along) == pytest.approx(17.02, abs=0.02)
    assert np.median(-np.diff(found.position[found.string == 86, 2])) == pytest.approx(7.01, abs=0.02)


def test_positions_by_string_and_om() -> None:
    found = modules()
    assert found.positions_of(found.string, found.om).tolist() == found.position.tolist()
    assert found.positions_of(1, 1).tolist() == [-256.14, -521.08, 496.03]
    nowhere = found.positions_of([0, 87, 1, 1, -1, 300], [1, 1, 0, 61, 5, 300])
    assert nowhere.shape == (6, 3)
    assert np.isnan(nowhere).all()
    assert found.positions_of([], []).shape == (0, 3)


def test_dead_modules_have_no_position() -> None:
    string, om = np.mgrid[1:87, 1:61]
    assert np.isnan(modules().positions_of(string, om)[..., 0]).sum() == 86 * 60 - 5083


def test_shared_arrays_cannot_be_changed() -> None:
    assert modules() is modules()
    with pytest.raises(ValueError, match="read-only"):
        modules().position[0, 0] = 1.0

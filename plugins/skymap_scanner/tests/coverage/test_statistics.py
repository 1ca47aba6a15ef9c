"""Fractions, quantiles and their errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from skymap_scanner.coverage.statistics import PROBABILITIES, calibrated, coverage, interval


def test_fractions_are_counted() -> None:
    found = coverage([0.5, 1.0, 2.0, 9.0], {0.5: 1.0, 0.9: 4.61})
    assert (found["50"]["inside"], found["90"]["inside"], found["90"]["events"]) == (2, 3, 4)
    assert found["90"]["low"] < 0.75 < found["90"]["high"]


def test_without_events_nothing_is_known() -> None:
    assert coverage([], {0.9: 4.61})["90"] == {
        "two_delta_llh": 4.61,
        "inside": 0,
        "events": 0,
        "fraction": 0.0,
        "low": 0.0,
        "high": 1.0,
    }
    assert calibrated([]) == {}


@given(events=st.integers(1, 10_000), share=st.floats(0, 1))
def test_intervals_are_those_of_wilson(events: int, share: float) -> None:
    inside = round(share * events)
    theirs = stats.binomtest(inside, events).proportion_ci(confidence_level=stats.chi2.cdf(1, 1), method="wilson")
    assert interval(inside, events) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_calibration_finds_wilks_levels_where_wilks_holds() -> None:
    levels = calibrated(np.random.default_rng(1).chisquare(2, 20_000).tolist())
    for probability in PROBABILITIES:
        level = levels[f"{probability:g}"]
        assert level["two_delta_llh"] == pytest.approx(stats.chi2.ppf(probability, 2), abs=0.1)
        assert level["low"] < level["two_delta_llh"] < level["high"]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50))
def test_calibrated_levels_hold_the_events_that_they_were_made_of(values: list[float]) -> None:
    levels = {float(p): level["two_delta_llh"] + 0.001 for p, level in calibrated(values).items()}
    for found in coverage(values, levels).values():
        assert found["inside"] >= 1
    assert coverage(values, levels)["90"]["inside"] >= 0.9 * (len(values) - 1)

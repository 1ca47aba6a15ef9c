"""The picture of a study."""

from __future__ import annotations

import numpy as np

from skymap_scanner.coverage.plot import coverage_plot


def test_a_study_is_drawn_the_same_again() -> None:
    values = np.random.default_rng(1).chisquare(2, 200).tolist()
    picture = coverage_plot(values, "mpe")
    assert picture.startswith(b"\x89PNG")
    assert picture == coverage_plot(values[::-1], "mpe")


def test_one_event_can_be_drawn() -> None:
    assert len(coverage_plot([0.0], "spe")) > 5_000

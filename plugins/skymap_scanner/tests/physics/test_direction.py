from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from skymap_scanner.hits import Hits
from skymap_scanner.physics.direction import free_minimum, llh_at
from skymap_scanner.physics.likelihood import Settings, track_model

SETTINGS = Settings(cap=1.0, noise=0.02, layered=False)


@pytest.mark.parametrize(("zenith", "azimuth"), [(0.0, 0.0), (1.6, 2.0), (2.4, 5.5), (np.pi, 1.0)])
def test_the_free_minimum_is_near_the_truth_and_no_direction_is_better(
    make_track: Callable[..., Hits], zenith: float, azimuth: float
) -> None:
    model = track_model(make_track(zenith, azimuth, (10.0, 30.0, -60.0), 8_000.0, seed=7), SETTINGS)
    best = free_minimum(model)
    cosine = np.cos(zenith) * np.cos(best.zenith) + np.sin(zenith) * np.sin(best.zenith) * np.cos(azimuth - best.azimuth)
    assert np.degrees(np.arccos(min(cosine, 1.0))) < 2.0
    at_truth = llh_at(model, zenith, azimuth, np.array([[10.0, 30.0, -60.0, 8_000.0]]))
    assert best.llh < at_truth < best.llh + 12.0
    assert llh_at(model, best.zenith, best.azimuth, np.array([best.vertex])) == pytest.approx(best.llh, abs=1e-3)
    assert free_minimum(model, np.array([[zenith, azimuth]])).llh <= best.llh + 1e-3

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skymap_scanner.hits import Hits
from skymap_scanner.physics.direction import free_minimum
from skymap_scanner.physics.likelihood import Settings, shower_model, track_model
from skymap_scanner.physics.shower_fit import best_shower

SETTINGS = Settings(cap=1.0, noise=0.001, layered=False)


def test_a_shower_is_found_where_it_was_and_beats_every_track(make_shower: Callable[..., Hits]) -> None:
    hits = make_shower((-150.0, 80.0, 200.0), 9_500.0)
    llh, x, y, z, time = best_shower(shower_model(hits, SETTINGS))
    assert np.linalg.norm([x + 150.0, y - 80.0, z - 200.0]) < 20.0
    assert abs(time - 9_500.0) < 100.0
    assert llh < free_minimum(track_model(hits, SETTINGS)).llh


def test_a_track_beats_every_shower(make_track: Callable[..., Hits]) -> None:
    hits = make_track(1.5, 1.0, (0.0, 0.0, 0.0), 9_500.0)
    assert free_minimum(track_model(hits, SETTINGS)).llh < best_shower(shower_model(hits, SETTINGS))[0]

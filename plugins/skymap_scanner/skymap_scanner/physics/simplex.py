"""Nelder-Mead in three dimensions: crosses the ridges between a poor start and the minimum that Newton steps do not."""

from __future__ import annotations

import numpy as np

from skymap_scanner.physics import track
from skymap_scanner.physics.compiled import kernel
from skymap_scanner.physics.model import Array, Model

STEPS = np.array([50.0, 50.0, 150.0])
"""Edges of the first simplex in m, m and ns."""
ROUNDS = 60
"""At most so many rounds."""
ENOUGH = 0.3
"""Spread of -log L at which the search ends: Newton steps take over."""


@kernel
def _sort(points: Array, values: Array) -> None:
    for i in range(1, values.size):
        j = i
        while j > 0 and values[j] < values[j - 1]:
            values[j], values[j - 1] = values[j - 1], values[j]
            for k in range(3):
                points[j, k], points[j - 1, k] = points[j - 1, k], points[j, k]
            j -= 1


@kernel
def search(model: Model, axes: Array, hits: Array, at: Array, room: Array) -> float:
    """Improve (a, b, time) in place; returns the rough -log L there."""
    points, values = np.empty((4, 3)), np.empty(4)
    middle, trial, second = np.empty(3), np.empty(3), np.empty(3)
    for i in range(4):
        points[i] = at
        if i > 0:
            points[i, i - 1] += STEPS[i - 1]
        values[i] = track.rough(model, axes, hits, points[i], room)
    for _ in range(ROUNDS):
        _sort(points, values)
        if values[3] - values[0] <= ENOUGH:
            break
        for k in range(3):
            middle[k] = (points[0, k] + points[1, k] + points[2, k]) / 3.0
            trial[k] = 2.0 * middle[k] - points[3, k]
        reflected = track.rough(model, axes, hits, trial, room)
        llh = reflected
        if reflected < values[0] or reflected >= values[2]:
            reach = 3.0 if reflected < values[0] else (1.5 if reflected < values[3] else 0.5)
            for k in range(3):
                second[k] = reach * middle[k] + (1.0 - reach) * points[3, k]
            llh = track.rough(model, axes, hits, second, room)
            if llh < reflected:
                trial[:] = second
            else:
                llh = reflected
        if llh < values[3]:
            points[3], values[3] = trial, llh
            continue
        for i in range(1, 4):
            for k in range(3):
                points[i, k] = 0.5 * (points[0, k] + points[i, k])
            values[i] = track.rough(model, axes, hits, points[i], room)
    _sort(points, values)
    at[:] = points[0]
    return values[0]

"""Nelder-Mead: crosses the ridges between a poor start and the minimum that Newton steps do not."""

from __future__ import annotations

import numpy as np

from skymap_scanner.physics import shower, track
from skymap_scanner.physics.compiled import kernel
from skymap_scanner.physics.copying import copy
from skymap_scanner.physics.model import Array, View

TRACK_STEPS = np.array([50.0, 50.0, 150.0])
"""Edges of the first simplex of a track's (a, b, time) in m, m and ns."""
SHOWER_STEPS = np.array([20.0, 20.0, 20.0, 60.0])
"""The same of a shower's (x, y, z, time)."""


@kernel
def _value(view: View, at: Array) -> float:
    """-log L: of a track if there are three parameters, of a shower if there are four."""
    return track.rough(view, at) if at.size == 3 else shower.value(view, at)


@kernel
def _sort(points: Array, values: Array) -> None:
    for i in range(1, values.size):
        j = i
        while j > 0 and values[j] < values[j - 1]:
            values[j], values[j - 1] = values[j - 1], values[j]
            for k in range(points.shape[1]):
                points[j, k], points[j - 1, k] = points[j - 1, k], points[j, k]
            j -= 1


@kernel
def search(view: View, at: Array, steps: Array, rounds: int, enough: float) -> float:
    """Improve a start in place; returns -log L there (of a track the rough one).

    Parameters
    ----------
    view : the event; along whatever axes for a shower.
    at : (3,) of a track or (4,) of a shower.
    steps : edges of the first simplex.
    rounds : at most so many.
    enough : spread of -log L over the simplex at which the search ends.
    """
    n = at.size
    points, values = np.empty((n + 1, n)), np.empty(n + 1)
    middle, trial, second = np.empty(n), np.empty(n), np.empty(n)
    for i in range(n + 1):
        copy(at, points[i])
        if i > 0:
            points[i, i - 1] += steps[i - 1]
        values[i] = _value(view, points[i])
    for _ in range(rounds):
        _sort(points, values)
        if values[n] - values[0] <= enough:
            break
        for k in range(n):
            middle[k] = points[:n, k].sum() / n
            trial[k] = 2.0 * middle[k] - points[n, k]
        reflected = _value(view, trial)
        llh = reflected
        if reflected < values[0] or reflected >= values[n - 1]:
            reach = 3.0 if reflected < values[0] else (1.5 if reflected < values[n] else 0.5)
            for k in range(n):
                second[k] = reach * middle[k] + (1.0 - reach) * points[n, k]
            llh = _value(view, second)
            if llh < reflected:
                copy(second, trial)
            else:
                llh = reflected
        if llh < values[n]:
            copy(trial, points[n])
            values[n] = llh
            continue
        for i in range(1, n + 1):
            for k in range(n):
                points[i, k] = 0.5 * (points[0, k] + points[i, k])
            values[i] = _value(view, points[i])
    _sort(points, values)
    copy(points[0], at)
    best: float = values[0]
    return best

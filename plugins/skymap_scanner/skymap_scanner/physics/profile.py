"""The best track in each of many directions: Newton steps from near starts, searches where none is known to be near."""

from __future__ import annotations

import math

import numpy as np

from skymap_scanner.physics import newton, simplex, track
from skymap_scanner.physics.compiled import kernel
from skymap_scanner.physics.copying import copy
from skymap_scanner.physics.model import Array, Integers, Model, View
from skymap_scanner.physics.photons import DELAY_PER_METRE, SPEED_OF_LIGHT

NONE, CENTRE, ALL = 0, 1, 5
"""How many searches join the seeds: none, one from the event's centre, and four more from points round it."""
RING = 100.0
"""m, of these points from the centre, across the track."""
ROUNDS, ENOUGH = 40, 3.0
"""A search ends after so many rounds, or when -log L spreads no wider."""
MARGIN = 10.0
"""Ends of searches whose -log L is this much above the best are dropped."""
QUANTILES = np.array([0.15, 0.5])
"""Times are tried such that these shares of the hits are earlier than direct light."""


@kernel
def start_time(view: View, at: Array) -> None:
    """Change the time of a start (a, b, time) where another of a few is better."""
    late = view.room[10]  # the likelihood needs the others
    for i in range(late.size):
        x, y = view.x[i] - at[0], view.y[i] - at[1]
        late[i] = view.time[i] - DELAY_PER_METRE * math.sqrt(x * x + y * y + track.CORE * track.CORE)
    late.sort()
    time, best = at[2], track.rough(view, at)
    for quantile in QUANTILES:
        at[2] = late[int(quantile * (late.size - 1))]
        llh = track.rough(view, at)
        if llh < best:
            time, best = at[2], llh
    at[2] = time


@kernel
def across(axes: Array, vertex: Array, at: Array) -> None:
    """Write a vertex (x, y, z, time) as the (a, b, time) of the track through it."""
    for k in range(2):
        at[k] = axes[k, 0] * vertex[0] + axes[k, 1] * vertex[1] + axes[k, 2] * vertex[2]
    at[2] = vertex[3] - (axes[2, 0] * vertex[0] + axes[2, 1] * vertex[1] + axes[2, 2] * vertex[2]) / SPEED_OF_LIGHT


@kernel
def best_track(model: Model, axes: Array, seeds: Array, searches: int, at: Array) -> float:
    """Minimise for one direction: `at` (3,) becomes (a, b, time) and -log L is returned; arguments as of `profile`."""
    view = track.seen_along(model, axes)
    best = np.inf
    for seed in seeds:
        trial = np.empty(3)
        across(axes, seed, trial)
        start_time(view, trial)
        llh = newton.descend(view, trial)
        if llh < best:
            best = llh
            copy(trial, at)
    ends, values = np.zeros((searches, 3)), np.full(searches, np.inf)
    for k in range(searches):
        if k > 0:
            ends[k, k % 2] = RING if k < 3 else -RING
        start_time(view, ends[k])
        values[k] = simplex.search(view, ends[k], simplex.TRACK_STEPS, ROUNDS, ENOUGH)
    for k in range(searches):
        if values[k] <= values.min() + MARGIN:
            llh = newton.descend(view, ends[k])
            if llh < best:
                best = llh
                copy(ends[k], at)
    return best


@kernel
def profile(model: Model, directions: Array, seeds: Array, first: Integers, searches: Integers) -> Array:
    """Minimise -log L for every direction.

    Parameters
    ----------
    model : the event.
    directions : (n, 2) zenith and azimuth in radians, where the particle comes from.
    seeds : (m, 4) x, y, z in m and time in ns, relative to the model's centre and middle.
    first : (n + 1,) the seeds of direction k are first[k] to first[k + 1].
    searches : (n,) `NONE`, `CENTRE` or `ALL`; not `NONE` without seeds.

    Returns
    -------
    (n, 5) -log L and the track's point nearest to the centre with its time, relative to centre and middle.
    """
    at, found = np.empty(3), np.empty((len(directions), 5))
    for k in range(len(directions)):
        axes = track.frame(directions[k, 0], directions[k, 1])
        found[k, 0] = best_track(model, axes, seeds[first[k] : first[k + 1]], searches[k], at)
        for i in range(3):
            found[k, 1 + i] = at[0] * axes[0, i] + at[1] * axes[1, i]
        found[k, 4] = at[2]
    return found

"""The best track in each of many directions: Newton steps from near starts, searches where none is known to be near."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.physics import newton, simplex, track
from skymap_scanner.physics.compiled import kernel
from skymap_scanner.physics.copying import copy
from skymap_scanner.physics.model import Array, Model
from skymap_scanner.physics.photons import DELAY_PER_METRE, SPEED_OF_LIGHT

Integers = NDArray[np.int64]

NONE, CENTRE, ALL = 0, 1, 5
"""How many searches join the seeds: none, one from the event's centre, and four more from points round it."""
RING = 100.0
"""m, of these points from the centre, across the track."""
ROUNDS, ENOUGH = 60, 0.3
"""A search ends after so many rounds, or when -log L spreads no wider."""
MARGIN = 10.0
"""Ends of searches whose -log L is this much above the best are dropped."""
QUANTILES = np.array([0.15, 0.5])
"""Times are tried such that these shares of the hits are earlier than direct light."""


@kernel
def start_time(model: Model, axes: Array, hits: Array, at: Array, room: Array) -> None:
    """Change the time of a start (a, b, time) where another of a few is better."""
    late = room[3]
    for i in range(late.size):
        x, y = hits[0, i] - at[0], hits[1, i] - at[1]
        late[i] = hits[2, i] - DELAY_PER_METRE * math.sqrt(x * x + y * y + track.CORE * track.CORE)
    late.sort()
    time, best = at[2], track.rough(model, axes, hits, at, room)
    for quantile in QUANTILES:
        at[2] = late[int(quantile * (late.size - 1))]
        llh = track.rough(model, axes, hits, at, room)
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
    hits, room = track.project(model, axes), np.empty((track.SCRATCH, model.time.size))
    best = np.inf
    for seed in seeds:
        trial = np.empty(3)
        across(axes, seed, trial)
        start_time(model, axes, hits, trial, room)
        llh = newton.descend(model, axes, hits, trial, room)
        if llh < best:
            best = llh
            copy(trial, at)
    ends, values = np.zeros((searches, 3)), np.full(searches, np.inf)
    for k in range(searches):
        if k > 0:
            ends[k, k % 2] = RING if k < 3 else -RING
        start_time(model, axes, hits, ends[k], room)
        values[k] = simplex.search(model, axes, hits, ends[k], room, simplex.TRACK_STEPS, ROUNDS, ENOUGH)
    for k in range(searches):
        if values[k] <= values.min() + MARGIN:
            llh = newton.descend(model, axes, hits, ends[k], room)
            if llh < best:
                best = llh
                copy(ends[k], at)
    return best


@kernel
def profile(model: Model, zenith: Array, azimuth: Array, seeds: Array, first: Integers, searches: Integers, found: Array) -> None:
    """Minimise -log L for every direction.

    Parameters
    ----------
    model : the event.
    zenith, azimuth : (n,) radians, where the particle comes from.
    seeds : (m, 4) x, y, z in m and time in ns, relative to the model's centre and middle.
    first : (n + 1,) the seeds of direction k are first[k] to first[k + 1].
    searches : (n,) `NONE`, `CENTRE` or `ALL`; not `NONE` without seeds.
    found : (n, 5) filled with -log L and the track's point nearest to the centre with its time, relative to centre and
        middle.
    """
    at = np.empty(3)
    for pixel in range(zenith.size):
        axes = track.frame(zenith[pixel], azimuth[pixel])
        found[pixel, 0] = best_track(model, axes, seeds[first[pixel] : first[pixel + 1]], searches[pixel], at)
        for k in range(3):
            found[pixel, 1 + k] = at[0] * axes[0, k] + at[1] * axes[1, k]
        found[pixel, 4] = at[2]

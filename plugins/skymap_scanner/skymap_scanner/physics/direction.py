"""The best track of any direction: for coverage, classification, and to compare with fits of others."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.physics.model import Array, Model
from skymap_scanner.physics.profile import ALL, CENTRE, NONE, profile

GRID = 768
"""Directions of the first look at the whole sky, 7 degrees apart: with fewer a real alert's minimum was lost."""
KEPT = 8
"""The best of these are followed down."""
APART = np.radians(10.0)
"""They are at least so far from one another."""
FIRST_STEP, LAST_STEP = np.radians(3.0), np.radians(0.005)
"""Of the way down."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FreeTrack:
    """A track in the best direction."""

    zenith: float
    """Radians, where the particle comes from."""
    azimuth: float
    """Radians."""
    llh: float
    """-log L."""
    vertex: tuple[float, float, float, float]
    """x, y, z in m and time in ns, where the track is nearest to the centre of the charge."""


def llh_at(model: Model, zenith: float, azimuth: float, vertices: Array | None = None) -> float:
    """-log L of the best track in one direction, as thorough searches find it.

    Parameters
    ----------
    model : the event.
    zenith, azimuth : radians, where the particle comes from.
    vertices : (n, 4) x, y, z in m and time in ns, more points to start from; for example the true one.
    """
    source = _vectors(np.array([zenith]), np.array([azimuth]))
    seeds = np.empty((0, 4)) if vertices is None else vertices - _origin(model)
    return float(_best(model, source, seeds[None], ALL)[0, 0])


def free_minimum(model: Model, starts: Array | None = None) -> FreeTrack:
    """Minimise -log L over the direction too.

    Parameters
    ----------
    model : the event.
    starts : (n, 2) zenith and azimuth in radians, directions that are followed down beside the best of the whole sky.
    """
    sky = _spiral(GRID)
    found = _best(model, sky, np.empty((GRID, 0, 4)), CENTRE)
    chosen: list[int] = []
    for k in np.argsort(found[:, 0], kind="stable"):
        if len(chosen) < KEPT and all(sky[k] @ sky[other] < np.cos(APART) for other in chosen):
            chosen.append(int(k))
    source, found = sky[chosen], found[chosen]
    if starts is not None:
        given = _vectors(starts[:, 0], starts[:, 1])
        source = np.concatenate([given, source])
        found = np.concatenate([_best(model, given, np.empty((len(given), 0, 4)), ALL), found])
    source, found = _descend(model, source, found)
    k = int(np.argmin(found[:, 0]))
    zenith, azimuth = _angles(source[k])
    x, y, z, time = (found[k, 1:] + _origin(model)).tolist()
    return FreeTrack(zenith=float(zenith), azimuth=float(azimuth), llh=float(found[k, 0]), vertex=(x, y, z, time))


def _descend(model: Model, source: Array, found: Array) -> tuple[Array, Array]:
    """Walk every start (n, 3) to the best of six directions round it, halving the step where none is better."""
    step = np.full(len(source), FIRST_STEP)
    corner = np.arange(6) * np.pi / 3.0
    while np.any(walking := step > LAST_STEP):
        at = np.flatnonzero(walking)
        east = np.cross(source[at], np.where(np.abs(source[at, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]]))
        east /= np.linalg.norm(east, axis=1, keepdims=True)
        north = np.cross(source[at], east)
        offset = np.cos(corner)[:, None] * east[:, None] + np.sin(corner)[:, None] * north[:, None]
        around = source[at, None] + np.tan(step[at])[:, None, None] * offset
        around /= np.linalg.norm(around, axis=2, keepdims=True)
        tried = _best(model, around.reshape(-1, 3), np.repeat(found[at, None, 1:], 6, axis=0), NONE).reshape(len(at), 6, 5)
        best = np.argmin(tried[:, :, 0], axis=1)
        rows = np.arange(len(at))
        better = tried[rows, best, 0] < found[at, 0]
        source[at[better]] = around[rows, best][better]
        found[at[better]] = tried[rows, best][better]
        step[at[~better]] *= 0.5
    return source, found


def _best(model: Model, source: Array, seeds: Array, searches: int) -> Array:
    """`profile` for directions (n, 3) with seeds (n, k, 4): (n, 5)."""
    count: NDArray[np.int64] = np.full(len(source), searches)
    first = np.arange(len(source) + 1) * seeds.shape[1]
    found: Array = profile(model, np.column_stack(_angles(source)), seeds.reshape(-1, 4), first, count)
    return found


def _origin(model: Model) -> Array:
    return np.array([*model.centre, model.middle])


def _vectors(zenith: Array, azimuth: Array) -> Array:
    return np.stack([np.sin(zenith) * np.cos(azimuth), np.sin(zenith) * np.sin(azimuth), np.cos(zenith)], axis=-1)


def _angles(source: Array) -> tuple[Array, Array]:
    return np.arccos(np.clip(source[..., 2], -1.0, 1.0)), np.arctan2(source[..., 1], source[..., 0]) % (2.0 * np.pi)


def _spiral(n: int) -> Array:
    """Directions (n, 3) spread evenly over the sphere along a golden spiral."""
    k = np.arange(n) + 0.5
    azimuth = (k * np.pi * (3.0 - np.sqrt(5.0))) % (2.0 * np.pi)
    return _vectors(np.arccos(1.0 - 2.0 * k / n), azimuth)

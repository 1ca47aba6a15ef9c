"""Hits of tracks and showers that are known exactly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from skymap_scanner.detector.geometry import modules
from skymap_scanner.hits import Hits
from skymap_scanner.physics.photons import DELAY_PER_METRE, LIGHT_NS_PER_METRE, SPEED_OF_LIGHT


def hits_of_track(zenith: float, azimuth: float, vertex: tuple[float, float, float], time: float, seed: int = 0) -> Hits:
    """Light within 60 m of a track, a few ns to a hundred late, and 3 % of noise."""
    rng = np.random.default_rng(seed)
    sky = np.array([np.sin(zenith) * np.cos(azimuth), np.sin(zenith) * np.sin(azimuth), np.cos(zenith)])
    offset = modules().position - np.array(vertex)
    along = offset @ -sky
    distance = np.sqrt(np.maximum(np.sum(offset**2, axis=1) - along**2, 0.0))
    seen = np.flatnonzero((distance < 60.0) & (modules().string < 79) & (rng.random(len(along)) < 0.7))
    late = rng.gamma(distance[seen] / 40.0 + 0.1, 60.0) + rng.normal(0.0, 5.0, len(seen))
    times = time + along[seen] / SPEED_OF_LIGHT + DELAY_PER_METRE * distance[seen] + late
    noise = rng.random(len(seen)) < 0.03
    times[noise] += rng.uniform(-1500.0, 1500.0, noise.sum())
    return _hits(seen, times, np.ones(len(seen)))


def hits_of_shower(vertex: tuple[float, float, float], time: float, seed: int = 0) -> Hits:
    """Light within 120 m of a point."""
    rng = np.random.default_rng(seed)
    distance = np.linalg.norm(modules().position - np.array(vertex), axis=1)
    seen = np.flatnonzero(distance < 120.0)
    late = rng.gamma(distance[seen] / 47.0, 100.0) + rng.normal(0.0, 5.0, len(seen))
    return _hits(seen, time + LIGHT_NS_PER_METRE * distance[seen] + late, np.ones(len(seen)))


def _hits(
    seen: np.ndarray[tuple[int], np.dtype[np.int64]],
    time: np.ndarray[tuple[int], np.dtype[np.float64]],
    charge: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> Hits:
    found = modules()
    return Hits(string=found.string[seen], om=found.om[seen], position=found.position[seen], time=time, charge=charge)


@pytest.fixture(scope="session")
def make_track() -> Callable[..., Hits]:
    return hits_of_track


@pytest.fixture(scope="session")
def make_shower() -> Callable[..., Hits]:
    return hits_of_shower

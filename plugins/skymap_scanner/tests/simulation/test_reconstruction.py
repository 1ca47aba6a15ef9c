"""What the reconstructions make of simulated events."""

from __future__ import annotations

import math

import numpy as np
import pytest

from skymap_scanner.physics.direction import free_minimum
from skymap_scanner.recos.cascade import classify
from skymap_scanner.recos.mpe import Mpe
from skymap_scanner.simulation import simulate
from skymap_scanner.simulation.light import flight_of


@pytest.mark.parametrize(("zenith", "azimuth"), [(0.3, 1.0), (1.2, 2.0), (1.7, 5.5), (2.8, 4.0)])
def test_the_direction_of_a_bright_track_is_found(zenith: float, azimuth: float) -> None:
    alert = simulate("track", zenith, azimuth, 3e5, seed=5, vertex=(50.0, -30.0, 100.0))
    best = free_minimum(Mpe(alert).model)
    cosine = float(flight_of(best.zenith, best.azimuth) @ flight_of(zenith, azimuth))
    assert math.degrees(math.acos(min(cosine, 1.0))) < 1.0


@pytest.mark.parametrize("kind", ["track", "cascade"])
def test_showers_and_tracks_are_told_apart(kind: str) -> None:
    for seed, energy in enumerate(np.geomspace(2e4, 1e6, 6)):
        alert = simulate(kind, 0.5 + 0.4 * seed, 1.0 * seed, float(energy), seed)
        assert classify(alert).kind == kind, f"{kind} of {energy:.0f} GeV, seed {seed}"


def test_the_vertex_of_a_shower_is_found() -> None:
    vertex = classify(simulate("cascade", 1.0, 2.0, 1e5, 2, vertex=(80.0, -40.0, 120.0))).vertex
    assert np.linalg.norm([vertex.x - 80.0, vertex.y + 40.0, vertex.z - 120.0]) < 15.0

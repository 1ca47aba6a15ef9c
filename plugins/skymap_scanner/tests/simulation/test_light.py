"""Where light comes from and how it gets to modules."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymap_scanner.physics import layers
from skymap_scanner.physics.photons import (
    GROUP_INDEX,
    LIGHT_NS_PER_METRE,
    PHASE_INDEX,
    SHOWER_LIGHT,
    SPEED_OF_LIGHT,
    TRACK_LIGHT,
)
from skymap_scanner.simulation.light import flight_of, shower_light, track_light

places = st.tuples(st.floats(-500, 500), st.floats(-500, 500), st.floats(-500, 500))


@given(zenith=st.floats(0, math.pi), azimuth=st.floats(0, 2 * math.pi))
def test_a_particle_flies_away_from_where_it_comes_from(zenith: float, azimuth: float) -> None:
    flight = flight_of(zenith, azimuth)
    assert np.linalg.norm(flight) == pytest.approx(1.0)
    assert -flight[2] == pytest.approx(math.cos(zenith))
    assert -(flight[:2] @ [math.cos(azimuth), math.sin(azimuth)]) == pytest.approx(math.sin(zenith))


@given(place=places, vertex=places, zenith=st.floats(0, math.pi), azimuth=st.floats(0, 2 * math.pi))
def test_direct_light_leaves_the_track_under_the_cherenkov_angle(
    place: tuple[float, ...], vertex: tuple[float, ...], zenith: float, azimuth: float
) -> None:
    """Step by step: the particle flies to where the light is emitted at the speed of light, the light on at its own.

    The shape of the delays follows from the distance and from how steeply this light rises (NIM A 524 (2004) 169).
    """
    flight = flight_of(zenith, azimuth)
    ahead = np.array(place) - np.array(vertex)
    along = ahead @ flight
    distance = max(float(np.linalg.norm(ahead - along * flight)), 1.0)
    angle = math.acos(1.0 / PHASE_INDEX)
    emitted = 10.0 + (along - distance / math.tan(angle)) / SPEED_OF_LIGHT
    seen = emitted + distance / math.sin(angle) * GROUP_INDEX / SPEED_OF_LIGHT
    light = track_light(np.array([place]), np.array(vertex), 10.0, flight, 1e5)
    assert light.direct[0] == pytest.approx(seen, abs=1e-4)
    ray = ahead - (along - distance / math.tan(angle)) * flight
    up = ray[2] / np.linalg.norm(ray)
    if distance > 1.0:
        scattering, _ = layers.factors(np.array([place[2]]))
        effective = 0.8395 * distance + 3.094 - 3.946 * up + 4.636 * up**2
        assert light.shape[0] == pytest.approx(effective / 33.29 * scattering[0], rel=1e-6)


@given(along=st.floats(-2000, 2000))
def test_light_of_a_track_does_not_depend_on_which_of_its_points_is_named(along: float) -> None:
    flight, vertex = flight_of(1.0, 2.0), np.array([10.0, 20.0, 30.0])
    position = np.array([[100.0, -50.0, 200.0], [0.0, 0.0, -300.0]])
    here = track_light(position, vertex, 0.0, flight, 1e5)
    there = track_light(position, vertex + along * flight, along / SPEED_OF_LIGHT, flight, 1e5)
    for field in ("expected", "direct", "shape", "rate"):
        assert getattr(here, field) == pytest.approx(getattr(there, field), rel=1e-6, abs=1e-6)


def test_light_of_a_shower_is_the_same_all_round() -> None:
    around = 100.0 * np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [-0.6, 0.8, 0.0]])
    light = shower_light(around, np.zeros(3), 5.0, 1e5)
    assert np.ptp(light.expected) < 1e-9 * light.expected[0]
    assert light.direct == pytest.approx(5.0 + 100.0 * GROUP_INDEX / SPEED_OF_LIGHT)


@pytest.mark.parametrize("kind", ["track", "shower"])
def test_dirty_ice_delays_and_absorbs(kind: str) -> None:
    """The same geometry in the clearest ice and in the dust layer."""
    clear, dusty = -350.0, -100.0
    scattering, absorption = layers.factors(np.array([clear, dusty]))
    seen = []
    for height in (clear, dusty):
        place, vertex = np.array([[60.0, 0.0, height]]), np.array([0.0, 0.0, height])
        level = flight_of(math.pi / 2, 1.0)
        seen.append(
            shower_light(place, vertex, 0.0, 1e5) if kind == "shower" else track_light(place, vertex, 0.0, level, 1e5)
        )
    pandel = SHOWER_LIGHT if kind == "shower" else TRACK_LIGHT
    absorbed = absorption / (LIGHT_NS_PER_METRE * pandel.absorption)
    assert scattering[1] > 1.2 * scattering[0]
    assert seen[1].shape[0] / seen[0].shape[0] == pytest.approx(scattering[1] / scattering[0])
    assert [light.rate[0] for light in seen] == pytest.approx(1.0 / pandel.decay + absorbed)

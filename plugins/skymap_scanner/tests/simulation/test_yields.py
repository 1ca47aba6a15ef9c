"""How much light there is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymap_scanner.physics.photons import SIN_CHERENKOV
from skymap_scanner.simulation.yields import (
    ABSORPTION,
    EFFECTIVE_SCATTERING,
    LIGHT_AT_REST,
    LIGHT_PER_GEV,
    MODULE_AREA,
    PHOTONS_PER_METRE,
    SHOWER_METRES_PER_GEV,
    shower_yield,
    track_yield,
)


def test_photons_per_metre_are_those_of_frank_and_tamm() -> None:
    expected = 2 * math.pi / 137.036 * SIN_CHERENKOV**2 * (1 / 300e-9 - 1 / 600e-9)
    assert pytest.approx(expected, rel=0.01) == PHOTONS_PER_METRE


def test_light_close_by_is_spread_over_a_cylinder_or_a_sphere() -> None:
    r = np.array([1.0, 2.0])
    metre = PHOTONS_PER_METRE * MODULE_AREA
    cylinder = metre * (LIGHT_AT_REST + LIGHT_PER_GEV * 1e4) / (2 * math.pi * SIN_CHERENKOV * r)
    assert track_yield(r, 1e4) == pytest.approx(cylinder, rel=0.2)
    sphere = metre * SHOWER_METRES_PER_GEV * 1e4 / (4 * math.pi * r**2)
    assert shower_yield(r, 1e4) == pytest.approx(sphere, rel=0.2)


@pytest.mark.parametrize(("amount", "power"), [(track_yield, 0.5), (shower_yield, 1.0)])
def test_light_far_away_diffuses_and_is_absorbed(amount: object, power: float) -> None:
    assert callable(amount)
    near, far = amount(np.array([300.0, 400.0]), 1e4)
    propagation = math.sqrt(ABSORPTION * EFFECTIVE_SCATTERING / 3)
    assert far / near == pytest.approx(math.exp(-100.0 / propagation) * (300.0 / 400.0) ** power, rel=1e-3)


@given(r=st.floats(0, 2000), energy=st.floats(1e2, 1e8))
def test_light_is_positive_and_grows_with_energy_and_nearness(r: float, energy: float) -> None:
    for amount in (track_yield, shower_yield):
        here = amount(np.array([r, r + 1.0]), energy)
        assert here[0] >= here[1] > 0
        assert amount(np.array([r]), 2 * energy)[0] > here[0]

"""Pixels near a direction, against looking at all of the sky."""

from __future__ import annotations

import math

import healpix  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymap_scanner.scanning.disc import centre, children, disc, neighbours, parents, width

directions = st.tuples(st.floats(-1, 1), st.floats(0, 2 * math.pi)).map(
    lambda zp: np.array([math.sqrt(1 - zp[0] ** 2) * math.cos(zp[1]), math.sqrt(1 - zp[0] ** 2) * math.sin(zp[1]), zp[0]])
)


@given(order=st.integers(0, 7), middle=directions, widths=st.floats(0.0, 4.0))
def test_a_disc_holds_all_centres_within_the_radius_and_no_other(order: int, middle: np.ndarray, widths: float) -> None:
    nside = 1 << order
    radius = min(widths * width(nside), math.pi)
    centres = np.stack(healpix.pix2vec(nside, np.arange(12 * nside * nside)), axis=-1)
    angle = 2 * np.arcsin(np.clip(np.linalg.norm(centres - middle, axis=-1) / 2, 0, 1))
    found = set(disc(nside, middle, radius).tolist())
    assert found >= set(np.flatnonzero(angle < radius - 1e-9).tolist())
    assert found <= set(np.flatnonzero(angle <= radius + 1e-9).tolist())


@pytest.mark.parametrize("nside", [512, 4096])
@pytest.mark.parametrize("middle", [(0.0, 0.0, 1.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0), (0.3, -0.2, 2 / 3)])
def test_a_fine_disc_has_the_area_it_should(nside: int, middle: tuple[float, float, float]) -> None:
    unit = np.array(middle) / np.linalg.norm(middle)
    found = disc(nside, unit, 10 * width(nside))
    assert len(found) == pytest.approx(math.pi * 100, rel=0.06)


@given(order=st.integers(0, 6), steps=st.integers(1, 4), seed=st.integers(0, 10**6))
def test_children_have_their_parents(order: int, steps: int, seed: int) -> None:
    nside, finer = 1 << order, 1 << (order + steps)
    some = np.unique(np.random.default_rng(seed).integers(0, 12 * nside * nside, 5))
    inside = children(nside, some, finer)
    assert len(inside) == len(some) * (finer // nside) ** 2
    assert sorted(set(parents(finer, inside, nside).tolist())) == some.tolist()


@pytest.mark.parametrize("nside", [2, 8, 64])
def test_neighbours_touch(nside: int) -> None:
    for index in (0, 5, 6 * nside * nside, 12 * nside * nside - 1):
        near = neighbours(nside, index)
        assert index not in near
        assert 4 <= len(near) <= 12
        for other in near.tolist():
            assert np.linalg.norm(centre(nside, other) - centre(nside, index)) < 2 * width(nside)

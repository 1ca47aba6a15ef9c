"""The adaptive policy on a likelihood that is known."""

from __future__ import annotations

import math

import healpix  # type: ignore[import-untyped]
import numpy as np
import pytest

from skymap_scanner.maps.cells import cells_of
from skymap_scanner.maps.probability import credible_area, probability_of
from skymap_scanner.recos.base import Answer, Vertex
from skymap_scanner.scanning.adaptive import Adaptive
from skymap_scanner.scanning.progression import Progression
from skymap_scanner.scanning.sky import Sky

NOWHERE = Vertex(x=0.0, y=0.0, z=0.0, time=0.0)


def parabola(nside: int, index: int, middle: np.ndarray, sigma: float) -> float:
    apart = 2 * math.asin(min(1.0, float(np.linalg.norm(np.array(healpix.pix2vec(nside, index)) - middle)) / 2))
    return 100.0 + 0.5 * (apart / sigma) ** 2


def scan(policy: Adaptive, middle: np.ndarray, sigma: float) -> Sky:
    sky = Sky()
    chosen = policy.first()
    for _ in range(100):
        new = [(nside, i) for nside, some in chosen.items() for i in some.tolist() if i not in sky.levels.get(nside, {})]
        if not new:
            return sky
        for nside, index in new:
            sky.add((nside, index), Answer(llh=parabola(nside, index, middle, sigma), vertex=NOWHERE))
        chosen = policy.refined(sky)
    pytest.fail("the scan does not end")


@pytest.mark.parametrize("degrees", [0.2, 1.0, 5.0])
@pytest.mark.parametrize("middle", [(0.0, 0.0, 1.0), (1.0, 0.02, 0.03), (-0.4, 0.5, -0.7)])
def test_it_ends_where_the_area_is_known(degrees: float, middle: tuple[float, float, float]) -> None:
    unit = np.array(middle) / np.linalg.norm(middle)
    sigma = math.radians(degrees)
    sky = scan(Adaptive(Progression.parse("8:0,4096:12")), unit, sigma)
    cells = cells_of(sky.rows())
    area = credible_area(cells, probability_of(cells), 0.9)
    assert area == pytest.approx(2 * math.pi * (1 - math.cos(sigma * math.sqrt(4.605))), rel=0.05)
    assert sum(map(len, sky.levels.values())) < 20_000


def test_the_finest_level_bounds_it() -> None:
    sky = scan(Adaptive(Progression.parse("8:0,64:12")), np.array([0.0, 0.0, 1.0]), math.radians(0.01))
    assert max(sky.levels) == 64


def test_a_nan_hides_nothing() -> None:
    """The pixel that holds the minimum has no value at a fine level: the one above it still counts."""
    sky = Sky()
    for index in range(768):
        sky.add((8, index), Answer(llh=100.0 if index == 100 else 200.0, vertex=NOWHERE))
    policy = Adaptive(Progression.parse("8:0,4096:12"))
    children = policy.refined(sky)[16]
    for index in children.tolist():
        sky.add((16, index), Answer(llh=math.nan, vertex=NOWHERE))
    assert set(children.tolist()) <= set(policy.refined(sky)[16].tolist())


def test_nothing_is_known() -> None:
    assert Adaptive(Progression.parse("1:0,8:12")).refined(Sky()) == {}

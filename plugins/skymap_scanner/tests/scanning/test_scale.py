"""Large scans: as many messages as the original scanner sends with seven vertex variations, and the finest pixels."""

from __future__ import annotations

import functools
import math
import random
import tracemalloc

import healpix  # type: ignore[import-untyped]
import numpy as np
import pytest

from skymap_scanner.hits import Hits
from skymap_scanner.recos.base import Answer, Pixel, Vertex
from skymap_scanner.recos.dummy import Dummy
from skymap_scanner.scanning.progression import Progression
from skymap_scanner.scanning.refining import Refining
from skymap_scanner.scanning.rounds import Rounds
from skymap_scanner.scanning.seeding import Seeding, pixel_id

MINIMUM = np.array([math.cos(0.1), 0.0, math.sin(0.1)])
VERTEX = Vertex(x=0.0, y=0.0, z=0.0, time=0.0)


class Seven(Dummy):
    """The octahedron of the original Millipede scans."""

    offsets = (
        (0.0, 0.0, 0.0),
        *(
            (sign * 20.0 * (axis == 0), sign * 20.0 * (axis == 1), sign * 20.0 * (axis == 2))
            for axis in range(3)
            for sign in (-1, 1)
        ),
    )


def no_hits() -> Hits:
    raise AssertionError("nobody wants hits here")


def to_local(ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.pi / 2 - dec, ra


@functools.cache
def llh(nside: int, index: int) -> float:
    return float(np.sum((np.array(healpix.pix2vec(nside, index)) - MINIMUM) ** 2)) * 1e4


def scan(nsides: str) -> tuple[Rounds, int]:
    """The rounds of a whole scan, answered in random order, and how many messages it took."""
    rounds = Rounds(Refining(Progression.parse(nsides)), Seeding(Seven.__new__(Seven), no_hits, to_local))
    order = random.Random(1)
    waiting: list[Pixel] = rounds.begin()
    messages = 0
    while waiting:
        order.shuffle(waiting)
        messages += len(waiting)
        following: list[Pixel] = []
        for pixel in waiting:
            found = Answer(llh=llh(pixel.nside, pixel.index) + pixel.variation, vertex=VERTEX)
            following += rounds.take(pixel_id(pixel), found)
        waiting = following
    assert rounds.complete
    return rounds, messages


def test_the_finest_pixels_round_the_minimum() -> None:
    rounds, messages = scan("8:0,64:12,512:24,4096:24")
    assert messages == 7 * sum(rounds.done.values())
    assert sorted(rounds.done) == [8, 64, 512, 4096]
    assert messages < 7 * 6000
    assert rounds.minimum is not None
    assert rounds.minimum[1] == 4096
    best = np.array(healpix.pix2vec(4096, rounds.minimum[2]))
    assert np.degrees(np.linalg.norm(best - MINIMUM)) < 0.015


@pytest.mark.soak
def test_memory_grows_with_messages_and_stays_small() -> None:
    tracemalloc.start()
    try:
        _, messages = scan("8:0,64:12,512:24")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert messages > 20_000
    assert peak < 100e6

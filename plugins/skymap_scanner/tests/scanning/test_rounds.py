"""What is required does not depend on the order of answers, on duplicates or on what was sent early."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skymap_scanner.hits import Hits
from skymap_scanner.recos.base import Answer, Pixel, Vertex
from skymap_scanner.recos.dummy import Dummy
from skymap_scanner.scanning.progression import Progression
from skymap_scanner.scanning.refining import Refining
from skymap_scanner.scanning.rounds import Rounds
from skymap_scanner.scanning.seeding import Seeding, pixel_id


class Varied(Dummy):
    offsets = ((0.0, 0.0, 0.0), (20.0, 0.0, 0.0), (0.0, 0.0, -40.0))
    rotates_offsets = True
    adds_fallback_seed = True


RECO = Varied.__new__(Varied)


def rounds_of(nsides: str) -> Rounds:
    seeding = Seeding(RECO, _no_hits, lambda ra, dec: (np.pi / 2 - dec, ra))
    return Rounds(Refining(Progression.parse(nsides)), seeding)


def _no_hits() -> Hits:
    raise AssertionError("nobody wants hits here")


def answer(pixel: Pixel) -> Answer:
    (found,) = RECO.reconstruct([pixel])
    return found


def run(rounds: Rounds, order: random.Random, *, dead: float = 0.0, guess: bool = False, twice: bool = False) -> set[str]:
    """Answer in random order until the fixed point is reached; all ids that were ever sent."""
    waiting = {pixel_id(pixel): pixel for pixel in rounds.begin()}
    seen = set(waiting)
    while waiting:
        event_id = order.choice(sorted(waiting))
        pixel = waiting.pop(event_id)
        is_dead = random.Random(event_id).random() < dead
        new = rounds.take(event_id, None if is_dead else answer(pixel))
        if twice:
            assert rounds.take(event_id, answer(pixel)) == []
        if guess and not new and order.random() < 0.05:
            new = rounds.guess()
        for other in new:
            if pixel_id(other) not in seen:
                seen.add(pixel_id(other))
                waiting[pixel_id(other)] = other
    assert rounds.complete
    return seen


@given(seed=st.integers(0, 10**6), dead=st.sampled_from([0.0, 0.3]), guess=st.booleans())
def test_the_fixed_point_is_one(seed: int, dead: float, guess: bool) -> None:
    plain = rounds_of("1:0,2:5,4:3")
    required = run(plain, random.Random(0), dead=dead)
    other = rounds_of("1:0,2:5,4:3")
    sent = run(other, random.Random(seed), dead=dead, guess=guess, twice=True)
    assert required <= sent
    assert guess or required == sent
    rows, same = plain.sky.rows(), other.sky.rows()
    assert list(rows) == list(same)
    for nside in rows:
        assert rows[nside].tobytes() == same[nside].tobytes()


def test_no_level_is_skipped_and_every_fine_pixel_lies_in_a_disc() -> None:
    rounds = rounds_of("1:0,2:12,4:12")
    run(rounds, random.Random(1))
    assert sorted(rounds.sky.levels) == [1, 2, 4]
    assert rounds.planned == rounds.done
    assert rounds.planned[1] == 12


def test_without_any_value_the_first_level_is_all() -> None:
    rounds = rounds_of("1:0,2:12")
    run(rounds, random.Random(1), dead=1.1)
    assert list(rounds.sky.levels) == [1]
    assert rounds.minimum is None


def test_a_seed_is_what_the_nearest_coarser_pixel_found() -> None:
    rounds = rounds_of("1:0,4:3")
    sent = {pixel_id(pixel): pixel for pixel in rounds.begin()}
    found: Sequence[Pixel] = []
    for event_id, pixel in sent.items():
        found = rounds.take(event_id, answer(pixel)) or found
    assert {pixel.nside for pixel in found} == {4}
    for pixel in found:
        if pixel.variation == 0:
            coarse = rounds.sky.levels[1]
            seeds = {best.vertex for best in coarse.values() if math.isfinite(best.llh)} | {RECO.fallback()}
            assert pixel.seeds[0] in seeds
            assert pixel.seeds[1:] in ((), (RECO.fallback(),))


def test_variations_lie_round_the_seed_in_the_frame_of_the_track() -> None:
    rounds = rounds_of("1:0")
    pixels = rounds.begin()
    for first, second, third in zip(pixels[::3], pixels[1::3], pixels[2::3], strict=True):
        assert first.seeds == (RECO.fallback(),)
        across = np.array([second.seeds[0].x, second.seeds[0].y, second.seeds[0].z])
        along = np.array([third.seeds[0].x, third.seeds[0].y, third.seeds[0].z])
        s = math.sin(first.zenith)
        flight = -np.array([s * math.cos(first.azimuth), s * math.sin(first.azimuth), math.cos(first.zenith)])
        assert across @ flight == pytest.approx(0.0, abs=1e-9)
        assert np.linalg.norm(across) == pytest.approx(20.0)
        assert along == pytest.approx(-40.0 * flight, abs=1e-9)


def test_the_answer_of_a_pixel_is_the_lowest_of_its_variations() -> None:
    rounds = rounds_of("1:0")
    pixels = rounds.begin()
    for number, pixel in enumerate(pixels):
        llh = [math.nan, 5.0, 3.0][pixel.variation]
        vertex = Vertex(x=float(number), y=0.0, z=0.0, time=0.0)
        rounds.take(pixel_id(pixel), Answer(llh=llh, vertex=vertex))
    assert {best.llh for best in rounds.sky.levels[1].values()} == {3.0}
    assert rounds.sky.minimum == (3.0, 1, 0)

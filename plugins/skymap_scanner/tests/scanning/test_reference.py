"""The progression against a reference that follows the text of features.md 6.3, on whole maps and without any cleverness."""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
import random
from collections.abc import Callable, Iterable, Sequence

import healpy
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from skymap_scanner.hits import Hits
from skymap_scanner.recos.base import Answer, Pixel, Vertex
from skymap_scanner.recos.dummy import Dummy
from skymap_scanner.scanning.progression import Progression
from skymap_scanner.scanning.refining import Refining
from skymap_scanner.scanning.rounds import Rounds
from skymap_scanner.scanning.seeding import Seeding, pixel_id

Key = tuple[int, int]
Landscape = Callable[[int, int], float]
"""-log L of a pixel, by nside and index; NaN for none."""


def reference(nsides: str, landscape: Landscape) -> set[Key]:
    """All pixels of a scan, round by round as the text has it."""
    steps = Progression.parse(nsides).steps
    done = {(steps[0].nside, index): landscape(steps[0].nside, index) for index in range(12 * steps[0].nside ** 2)}
    for opened in itertools.count(1):
        minimum = min(((llh, key) for key, llh in done.items() if not math.isnan(llh)), default=None)
        if minimum is None:
            return set(done)
        new: set[Key] = set()
        for coarse, fine in itertools.pairwise(steps[: opened + 1]):
            chosen = near(coarse.nside, minimum[1], fine.extension) | jumps(coarse.nside, done)
            new |= {(fine.nside, child) for index in chosen for child in split(coarse.nside, index, fine.nside)}
        new -= set(done)
        if not new:
            return set(done)
        done |= {key: landscape(*key) for key in new}
    raise AssertionError("unreachable")


def near(nside: int, minimum: Key, extension: int) -> set[int]:
    """Centres within a radius of sqrt(extension * area / pi) of the minimum's centre, scanned or not."""
    radius = math.sqrt(extension * healpy.nside2pixarea(nside) / math.pi)
    centres = np.stack(healpy.pix2vec(nside, np.arange(12 * nside**2)), axis=-1)
    chord = np.linalg.norm(centres - np.array(healpy.pix2vec(*minimum)), axis=-1)
    return set(np.flatnonzero(2 * np.arcsin(np.minimum(chord / 2, 1.0)) <= radius + 1e-12).tolist())


def jumps(nside: int, done: dict[Key, float]) -> set[int]:
    """Both of two neighbours that are done and differ by more than 200,000 in twice -log L."""
    found: set[int] = set()
    for (level, index), llh in done.items():
        if level == nside:
            for other in healpy.get_all_neighbours(nside, index).tolist():
                if 2 * abs(llh - done.get((nside, other), math.nan)) > 200_000:
                    found |= {index, other}
    return found


def split(coarse: int, index: int, fine: int) -> Iterable[int]:
    """The (fine / coarse)^2 pixels inside a pixel."""
    inside = (fine // coarse) ** 2
    first = int(healpy.ring2nest(coarse, index)) * inside
    return healpy.nest2ring(fine, np.arange(first, first + inside)).tolist()  # type: ignore[no-any-return]


def chance(*what: object) -> float:
    digest = hashlib.sha256(repr(what).encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


def noise(seed: int, nans: float = 0.0, height: float = 1000.0) -> Landscape:
    """No relation between neighbours: the minimum moves with every round."""
    return lambda nside, index: math.nan if chance(seed, "nan", nside, index) < nans else height * chance(seed, nside, index)


def bowl(ra: float, dec: float, width: float, nans: float = 0.0) -> Landscape:
    """Parabolic in the angle from a direction, all in degrees, as a well behaved event is."""
    centre = healpy.ang2vec(ra, dec, lonlat=True)

    def llh(nside: int, index: int) -> float:
        chord = float(np.linalg.norm(np.array(healpy.pix2vec(nside, index)) - centre))
        lost = chance("nan", nside, index) < nans
        return math.nan if lost else (math.degrees(2 * math.asin(min(chord / 2, 1.0))) / width) ** 2 / 2

    return llh


class Mapped(Dummy):
    """A reconstruction that finds what a landscape says."""

    offsets = ((0.0, 0.0, 0.0), (0.0, 0.0, 10.0))


class Scanner:
    """The rounds of a scan over a landscape."""

    def __init__(self, nsides: str, landscape: Landscape) -> None:
        def to_local(ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return np.pi / 2 - dec, ra

        reco = Mapped.__new__(Mapped)
        self.rounds = Rounds(Refining(Progression.parse(nsides)), Seeding(reco, _no_hits, to_local))
        self._landscape = functools.cache(landscape)
        self.required: dict[str, Pixel] = {}
        self._require(self.rounds.begin())

    def _require(self, pixels: Sequence[Pixel]) -> None:
        self.required |= {pixel_id(pixel): pixel for pixel in pixels}

    def answer(self, pixel: Pixel) -> None:
        """The second variation always finds the better end."""
        llh = self._landscape(pixel.nside, pixel.index) + (0.25 if pixel.variation == 0 else 0.0)
        vertex = Vertex(x=float(pixel.index), y=float(pixel.nside), z=0.0, time=0.0)
        self._require(self.rounds.take(pixel_id(pixel), Answer(llh=llh, vertex=vertex)))

    def run(self, order: random.Random | None = None) -> Scanner:
        """Answer everything that is required, in any order."""
        answered: set[str] = set()
        while waiting := [event_id for event_id in self.required if event_id not in answered]:
            if order is not None:
                order.shuffle(waiting)
            for event_id in waiting:
                self.answer(self.required[event_id])
            answered.update(waiting)
        return self

    @property
    def pixels(self) -> set[Key]:
        return {(pixel.nside, pixel.index) for pixel in self.required.values()}


def _no_hits() -> Hits:
    raise AssertionError("nobody wants hits here")


NSIDES = ["1:0,2:12,4:12", "1:0,2:3,4:5,8:4", "2:0,4:1,8:2", "1:0,8:4,16:6", "4:0"]


@settings(max_examples=60, deadline=None)
@given(nsides=st.sampled_from(NSIDES), seed=st.integers(0, 10**6), nans=st.sampled_from([0.0, 0.1, 0.9]))
def test_as_the_text_has_it_where_the_minimum_moves_all_the_time(nsides: str, seed: int, nans: float) -> None:
    landscape = noise(seed, nans)
    assert Scanner(nsides, landscape).run(random.Random(seed)).pixels == reference(nsides, landscape)


@settings(max_examples=15, deadline=None)
@given(ra=st.floats(0, 360), dec=st.floats(-90, 90), width=st.floats(0.3, 60), nans=st.sampled_from([0.0, 0.1]))
def test_as_the_text_has_it_for_a_well_behaved_event(ra: float, dec: float, width: float, nans: float) -> None:
    landscape = bowl(ra, dec, width, nans)
    assert Scanner("4:0,16:12,64:24", landscape).run().pixels == reference("4:0,16:12,64:24", landscape)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_neighbours_that_differ_enormously_are_both_refined(seed: int) -> None:
    landscape = noise(seed, nans=0.1, height=200_000.0)
    assert Scanner("2:0,4:2,8:2", landscape).run().pixels == reference("2:0,4:2,8:2", landscape)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0, 1), nans=st.sampled_from([0.0, 0.3]))
def test_what_is_required_is_a_function_of_the_set_of_answers(seed: int, share: float, nans: float) -> None:
    """Whatever answers are there: their order does not matter, and more of them never take anything back."""
    landscape = noise(seed, nans)
    complete = Scanner("1:0,2:5,4:3", landscape).run().required
    order = random.Random(seed)
    some = [pixel for pixel in complete.values() if order.random() < share]
    found = []
    for _ in range(3):
        order.shuffle(some)
        scanner = Scanner("1:0,2:5,4:3", landscape)
        for pixel in some:
            scanner.answer(pixel)
        found.append(set(scanner.required))
    assert found[0] == found[1] == found[2] <= set(complete)
    for pixel in complete.values():
        scanner.answer(pixel)
    assert set(scanner.required) == set(complete)

"""`adaptive`: refine where the probability is, until the 90 % area does not change any more.

As BAYESTAR does for gravitational waves (Singer & Price 2016, PhysRevD 93, 024013), pixels that hold most probability are
split in four. A track's likelihood is far narrower than the coarse pixels, so that the probability of a coarse map says
little: as in the fixed progression a disc round the minimum is split too, level by level.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math

import healpix  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from skymap_scanner.scanning.disc import Pixels, centre, children, disc
from skymap_scanner.scanning.progression import FINEST, Progression
from skymap_scanner.scanning.refining import Chosen, first_level
from skymap_scanner.scanning.sky import Sky

EXTENSION = 12
"""About how many pixels round the minimum are split at every level."""
SPLIT_MASS = 0.99
"""Pixels that hold this much probability are split, however many they are."""
AREA_MASS = 0.9
"""Whose area is to be found."""
STABLE = 0.01
"""Relative change of that area from one level to the next that counts as none, if it is no more twice in a row."""


class Adaptive:
    """Doubles the resolution where it matters.

    Parameters
    ----------
    progression
        Its first level is where to begin, its last the finest that may be reached.
    pointed
        See `refining.first_level`.
    """

    def __init__(self, progression: Progression, pointed: tuple[float, float] | None = None) -> None:
        self._coarsest = progression.nsides[0]
        self._finest = progression.nsides[-1] if len(progression.steps) > 1 else FINEST
        self._pointed = pointed

    def first(self) -> Chosen:
        """All of the coarsest level, or the part that is pointed at."""
        return first_level(self._coarsest, self._pointed)

    def refined(self, sky: Sky) -> Chosen:
        """The children of what is to be split at each level; nothing once the area is stable."""
        if sky.minimum is None or self._is_stable(sky):
            return {}
        _, nside, index = sky.minimum
        middle = centre(nside, index)
        chosen: dict[int, Pixels] = {}
        for coarse in sorted(sky.levels):
            if coarse >= self._finest:
                continue
            around = disc(coarse, middle, math.sqrt(EXTENSION / 3) / coarse)
            chosen[2 * coarse] = children(coarse, np.union1d(around, _heavy(sky, coarse)), 2 * coarse)
        return chosen

    def _is_stable(self, sky: Sky) -> bool:
        levels = sorted(sky.levels)
        if len(levels) < 3:
            return False
        areas = [_leaves(sky, levels[:count]).area_of(AREA_MASS) for count in range(len(levels) - 2, len(levels) + 1)]
        return all(abs(after - before) <= STABLE * after for before, after in itertools.pairwise(areas))


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Leaves:
    """Pixels that have no finer ones inside, by rising -log L."""

    nside: NDArray[np.int64]
    """(n,)"""
    index: NDArray[np.int64]
    """(n,) RING."""
    llh: NDArray[np.float64]
    """(n,)"""

    @functools.cached_property
    def area(self) -> NDArray[np.float64]:
        """(n,) steradians."""
        return np.asarray(math.pi / 3 / self.nside.astype(float) ** 2)

    @functools.cached_property
    def mass(self) -> NDArray[np.float64]:
        """(n,) probability of each pixel and those before it."""
        weight = np.exp(self.llh[0] - self.llh) * self.area
        return np.asarray(np.cumsum(weight) / weight.sum())

    def area_of(self, mass: float) -> float:
        """Return the steradians of the smallest region that holds a probability, with a part of its last pixel."""
        area = np.concatenate([[0.0], np.cumsum(self.area)])
        return float(np.interp(mass, np.concatenate([[0.0], self.mass]), area))


def _leaves(sky: Sky, levels: list[int]) -> _Leaves:
    """Return the leaves of a map of some levels, ascending; pixels without value are none."""
    found: list[tuple[float, int, int]] = []
    split: set[int] = set()
    for nside in reversed(levels):
        pixels = sky.levels[nside]
        nested = healpix.ring2nest(nside, np.fromiter(pixels, dtype=np.int64, count=len(pixels))).tolist()
        found += [
            (answer.llh, nside, index)
            for (index, answer), place in zip(pixels.items(), nested, strict=True)
            if place not in split and math.isfinite(answer.llh)
        ]
        split = {place >> 2 for place in {*nested, *split}}
    found.sort()
    llh, nsides, indices = zip(*found, strict=True)
    return _Leaves(nside=np.array(nsides), index=np.array(indices), llh=np.array(llh))


def _heavy(sky: Sky, nside: int) -> Pixels:
    """Return the leaves of a level among those that together hold `SPLIT_MASS`, the one on the outline included."""
    leaves = _leaves(sky, sorted(sky.levels))
    count = int(np.searchsorted(leaves.mass, SPLIT_MASS)) + 1
    return np.sort(leaves.index[:count][leaves.nside[:count] == nside])

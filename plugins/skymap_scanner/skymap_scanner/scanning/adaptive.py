"""`adaptive`: refine where the probability is, until the 90 % area does not change any more.

As BAYESTAR does for gravitational waves (Singer & Price 2016, PhysRevD 93, 024013), pixels that hold most probability are
split in four. A track's likelihood is far narrower than the coarse pixels, so that the probability of a coarse map says
little: as in the fixed progression a disc round the minimum is split too, level by level.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from skymap_scanner.maps.cells import cells_of
from skymap_scanner.maps.healpixels import nested_to_ring
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
        areas = [_Leaves(sky, levels[:count]).area_of(AREA_MASS) for count in range(len(levels) - 2, len(levels) + 1)]
        return all(abs(after - before) <= STABLE * after for before, after in itertools.pairwise(areas))


class _Leaves:
    """The smallest pixels with a value in a map of some levels, by rising -log L; together they cover what was seen."""

    def __init__(self, sky: Sky, levels: list[int]) -> None:
        rows = sky.rows()
        cells = cells_of({nside: rows[nside] for nside in levels})
        known = np.flatnonzero(cells.known)
        order = known[np.lexsort((cells.index[known], cells.order[known], cells.llh[known]))]
        self.nside = 1 << cells.order[order]
        self.nested = cells.index[order]
        self._area = cells.area[order]
        weight = np.exp(cells.llh[order[:1]] - cells.llh[order]) * self._area
        self.mass = np.cumsum(weight) / weight.sum()
        """(n,) probability of each pixel and those before it."""

    def area_of(self, mass: float) -> float:
        """Return the steradians of the smallest region that holds a probability, with a part of its last pixel."""
        area = np.concatenate([[0.0], np.cumsum(self._area)])
        return float(np.interp(mass, np.concatenate([[0.0], self.mass]), area))


def _heavy(sky: Sky, nside: int) -> Pixels:
    """Return the leaves of a level among those that together hold `SPLIT_MASS`, the one on the outline included."""
    leaves = _Leaves(sky, sorted(sky.levels))
    count = int(np.searchsorted(leaves.mass, SPLIT_MASS)) + 1
    nested = leaves.nested[:count][leaves.nside[:count] == nside]
    return np.sort(nested_to_ring(nside, nested))

"""Which pixels to look at next, given what is known: the policy of the Skymap Scanner."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Protocol

import numpy as np

from skymap_scanner.recos.base import Answer
from skymap_scanner.scanning.disc import Pixels, centre, children, disc, neighbours
from skymap_scanner.scanning.progression import Progression, Step
from skymap_scanner.scanning.sky import Sky

JUMP = 200_000.0
"""A difference of 2 -log L between neighbours above which both are refined."""
POINTED_RADIUS = math.radians(3.5)
"""How far from the given direction the first level of a pointed scan goes."""

Chosen = Mapping[int, Pixels]
"""RING indices by nside; some may have been chosen before."""


class Policy(Protocol):
    """Pure: the same sky always leads to the same pixels."""

    def first(self) -> Chosen:
        """The pixels to begin with."""

    def refined(self, sky: Sky) -> Chosen:
        """The pixels that a sky calls for; nothing new means that the scan is complete."""


class Refining:
    """Level after level, each in a disc round the minimum of the one before.

    Parameters
    ----------
    progression
        The levels and their extensions.
    pointed
        Right ascension and declination in radians that the first level is restricted to; None for the whole sky.
    """

    def __init__(self, progression: Progression, pointed: tuple[float, float] | None = None) -> None:
        self._progression = progression
        self._pointed = pointed

    def first(self) -> Chosen:
        """The first level: all pixels, or those near the pixel that holds the given direction."""
        return first_level(self._progression.steps[0].nside, self._pointed)

    def refined(self, sky: Sky) -> Chosen:
        """For each pair of levels whose coarser one has answers: the children of the pixels that call for it."""
        if sky.minimum is None:
            return {}
        return {
            fine.nside: children(coarse.nside, _to_refine(coarse, fine, sky), fine.nside)
            for coarse, fine in itertools.pairwise(self._progression.steps)
            if coarse.nside in sky.levels
        }


def first_level(nside: int, pointed: tuple[float, float] | None) -> Chosen:
    """Return all pixels of a level, or those within `POINTED_RADIUS` of the centre of the pixel that holds a direction."""
    if pointed is None:
        return {nside: np.arange(12 * nside * nside, dtype=np.int64)}
    ra, dec = pointed
    direction = np.array([math.cos(dec) * math.cos(ra), math.cos(dec) * math.sin(ra), math.sin(dec)])
    holding = holding_pixel(nside, direction)
    return {nside: disc(nside, centre(nside, holding), POINTED_RADIUS)}


def holding_pixel(nside: int, direction: np.ndarray[tuple[int], np.dtype[np.float64]]) -> int:
    """Return the RING index of the pixel that holds a direction, a unit vector (3,)."""
    import healpix  # type: ignore[import-untyped]

    return int(healpix.vec2pix(nside, *direction))


def _to_refine(coarse: Step, fine: Step, sky: Sky) -> Pixels:
    """The pixels nearest to the minimum, scanned or not, and both sides of every jump."""
    if sky.minimum is None:
        return np.empty(0, dtype=np.int64)
    _, nside, index = sky.minimum
    radius = math.sqrt(fine.extension / 3) / coarse.nside  # of a disc of the area of so many pixels
    around = disc(coarse.nside, centre(nside, index), radius)
    return np.union1d(around, np.fromiter(_jumps(coarse.nside, sky.levels[coarse.nside]), dtype=np.int64))


def _jumps(nside: int, pixels: Mapping[int, Answer]) -> Iterator[int]:
    values = [answer.llh for answer in pixels.values() if math.isfinite(answer.llh)]
    if not values or 2 * (max(values) - min(values)) <= JUMP:
        return
    for index, answer in pixels.items():
        for other in neighbours(nside, index).tolist():
            if other in pixels and 2 * abs(answer.llh - pixels[other].llh) > JUMP:
                yield index
                yield other

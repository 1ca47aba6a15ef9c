"""What is known of the sky: one final answer per pixel, whatever the order in which answers came."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.recos.base import Answer, Vertex
from skymap_scanner.result import ROW

Key = tuple[int, int]
"""nside and RING index of a pixel."""
_NOWHERE = Vertex(x=math.nan, y=math.nan, z=math.nan, time=math.nan)
NOTHING = Answer(llh=math.nan, vertex=_NOWHERE)
"""The answer of a pixel of which every variation failed."""


def best_of(answers: Iterable[Answer | None]) -> Answer:
    """Return the answer of lowest -log L, of equal ones the first; a NaN or a failure never wins."""
    found = [answer for answer in answers if answer is not None and math.isfinite(answer.llh)]
    return min(found, key=lambda answer: answer.llh, default=NOTHING)


class Sky:
    """Pixels by level."""

    def __init__(self) -> None:
        self.levels: dict[int, dict[int, Answer]] = {}
        self.minimum: tuple[float, int, int] | None = None
        """Lowest -log L of all levels with its nside and index; equal values: the coarsest pixel, then the lowest index."""

    def add(self, key: Key, answer: Answer) -> None:
        """Take the final answer of a pixel."""
        nside, index = key
        self.levels.setdefault(nside, {})[index] = answer
        if math.isfinite(answer.llh) and (self.minimum is None or (answer.llh, nside, index) < self.minimum):
            self.minimum = (answer.llh, nside, index)

    def copy(self) -> Sky:
        """Return a sky that can be added to without changing this one."""
        other = Sky()
        other.levels = {nside: dict(pixels) for nside, pixels in self.levels.items()}
        other.minimum = self.minimum
        return other

    def rows(self) -> Mapping[int, NDArray[np.void]]:
        """Return rows of dtype `ROW`, sorted by index, for every level, coarsest first."""
        return {nside: _rows(self.levels[nside]) for nside in sorted(self.levels)}


def _rows(pixels: Mapping[int, Answer]) -> NDArray[np.void]:
    listed = [
        (index, answer.llh, answer.e_in, answer.e_tot, answer.vertex.x, answer.vertex.y, answer.vertex.z, answer.vertex.time)
        for index, answer in sorted(pixels.items())
    ]
    return np.array(listed, dtype=ROW)

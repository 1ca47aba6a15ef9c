"""Task `align`: compares the particles of one micrograph with references, and sums up those that resemble the same one."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from films import ACROSS, SIDE, open_film
from particles import Alignment, Sums
from polar import DIRECTIONS, best_fit, laid_upon


class Aligner:
    """Aligns on a GPU where there is one with CuPy, and on the cores otherwise."""

    def __init__(self) -> None:
        self._library = _array_library()

    def consume(self, alignment: Alignment) -> Sums:
        """Sums of particles by class; `Unreadable` if the micrograph has been damaged since it was picked."""
        film = open_film(alignment.micrograph)
        boxes = film.boxes(alignment.picks)
        scale = alignment.micrograph.diameter / ACROSS / (film.pixel * film.bin)
        fit = best_fit(boxes, alignment.references, scale, self._library)
        sums = np.zeros((len(alignment.references), SIDE, SIDE), np.float32)
        for box, reference, direction, shift in zip(boxes, fit.reference, fit.direction, fit.shift, strict=True):
            sums[reference] += laid_upon(box, direction, shift, scale)
        return Sums(
            number=alignment.micrograph.number,
            kinds=[int(kind) for kind in fit.reference],
            angles=[float(direction) * 360 / DIRECTIONS for direction in fit.direction],
            sums=sums,
        )


def _array_library() -> ModuleType:
    """CuPy, whose functions are numpy's, if it and a GPU are there."""
    try:
        import cupy
    except ImportError:
        return np
    return cupy if cupy.is_available() else np

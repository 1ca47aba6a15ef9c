"""Micrographs, open: the file is mapped into memory, and no more of it is read than is asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from mrc import Unreadable, read
from particles import Array, Micrograph, Pick

ACROSS = 24
"""Pixels across a particle, after binning: as fine as the averages can be, and as quick as the search can be."""
SIDE = 40
"""Pixels along each side of a particle's picture."""
ALL_OF_IT = 8.0
"""Most ångström that a pixel of a micrograph may be; larger values are mistakes in the header."""


class Film(NamedTuple):
    """A micrograph, open."""

    pixels: npt.NDArray[Any]
    """Of shape (rows, columns); mapped, not read."""
    pixel: float
    """Ångström along each side of a pixel."""
    bin: int
    """How many pixels along each side become one."""

    def binned(self) -> Array:
        """All of it, with pixels of about a twenty-fourth of a particle, particles bright."""
        return _binned(self.pixels, self.bin)

    def boxes(self, picks: Sequence[Pick]) -> Array:
        """Pictures of particles, binned, of shape (N, SIDE, SIDE); around each, the mean is 0 and the deviation 1."""
        side = SIDE * self.bin
        boxes = np.empty((len(picks), SIDE, SIDE), np.float32)
        for number, pick in enumerate(picks):
            top, left = (round(centre - (side - 1) / 2) for centre in (pick.y, pick.x))
            box = _binned(self.pixels[top : top + side, left : left + side], self.bin)
            around = box[~disc(SIDE, ACROSS / 2 + 2)]
            boxes[number] = (box - around.mean()) / around.std()
        return boxes


def open_film(micrograph: Micrograph) -> Film:
    """The micrograph behind an event; `Unreadable` if it is damaged, no single picture, or of unknown scale."""
    if micrograph.mock is not None:
        # The folder that all tasks of a pilot share: one draws a mock micrograph, the others find it there.
        hub = Path(os.environ["EWMS_TASK_DATA_HUB_DIR"])
        pixels, pixel = read(str(micrograph.mock.file(micrograph.number, hub)))
    else:
        pixels, pixel = read(micrograph.path)
    pixel = pixel or micrograph.pixel_size
    if not 0 < pixel <= ALL_OF_IT:
        raise Unreadable(f"the header tells no pixel size that can be right ({pixel:g} \u00c5); use --set pixel_size=")
    if pixels.ndim == 3 and len(pixels) == 1:
        pixels = pixels[0]
    if pixels.ndim != 2:
        raise Unreadable(f"the file is a stack or a movie of {len(pixels)} pictures; a micrograph is one")
    factor = max(1, round(micrograph.diameter / ACROSS / pixel))
    if min(pixels.shape) < 2 * SIDE * factor:
        raise Unreadable(f"the micrograph is too small for its particles: {pixels.shape[1]} x {pixels.shape[0]} pixels")
    return Film(pixels, pixel, factor)


def disc(side: int, radius: float) -> npt.NDArray[np.bool_]:
    """Which pixels of a square picture are so near to its centre."""
    squares = (np.arange(side) - (side - 1) / 2) ** 2
    inside: npt.NDArray[np.bool_] = np.add.outer(squares, squares) <= radius**2
    return inside


def _binned(pixels: npt.NDArray[Any], factor: int) -> Array:
    rows, columns = (length // factor for length in pixels.shape)
    blocks = pixels[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor)
    return np.ascontiguousarray(-blocks.mean(axis=(1, 3), dtype=np.float32))

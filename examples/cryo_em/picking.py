"""Task `pick`: finds particles by their likeness to templates.

The likeness is the correlation coefficient of template and micrograph below it, for all places at once by Fourier transform:
Roseman, Ultramicroscopy 94 (2003), 225.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from films import ACROSS, SIDE, Film, disc, open_film
from mrc import read
from particles import Array, Micrograph, Pick, Picks
from scipy import fft, ndimage

import ewms

TURNS = 24
"""Directions in which a template is tried."""
NEAREST = 0.9
"""Particles are at least this far apart, in diameters."""
SAMPLES = 4
"""Pictures of particles that each micrograph offers as first references."""
MOST_CONTRAST = 5.0
"""Where the micrograph varies so many times as much as is usual, there is ice or dirt."""
_MASK = disc(SIDE, ACROSS / 2 + 2)
"""What is compared: the particle and a little around it."""


class Picker:
    """Finds particles with the templates that all events share: context file `templates.mrc`."""

    def __init__(self) -> None:
        self._pixels, self._pixel = read(str(ewms.context("templates.mrc")))

    def consume(self, micrograph: Micrograph) -> Picks:
        """The places on a micrograph, the best first; `Unreadable` if it is damaged."""
        film = open_film(micrograph)
        picture = film.binned()
        score = _likeness(picture, self._templates(film.pixel * film.bin))
        picks = list(_peaks(score, micrograph, film))
        return Picks(number=micrograph.number, pixel=film.pixel, picks=picks, samples=film.boxes(picks[:SAMPLES]))

    @lru_cache  # noqa: B019 - as many entries as there are pixel sizes, in an object that lives as long as its process
    def _templates(self, pixel: float) -> Array:
        """Every template in every direction, of mean 0 and length 1 on the mask: shape (N, SIDE, SIDE)."""
        stack = self._pixels if self._pixels.ndim == 3 else self._pixels[None]
        middle = (np.array(stack.shape[1:]) - 1) / 2
        axis = (np.arange(SIDE) - (SIDE - 1) / 2) * pixel / self._pixel
        y, x = np.meshgrid(axis, axis, indexing="ij")
        turned = []
        for template in stack:
            for angle in np.arange(TURNS) * 2 * np.pi / TURNS:
                places = [
                    np.cos(angle) * y - np.sin(angle) * x + middle[0],
                    np.sin(angle) * y + np.cos(angle) * x + middle[1],
                ]
                view = ndimage.map_coordinates(template.astype(np.float32), places, order=1) * _MASK
                view = (view - view[_MASK].mean()) * _MASK
                turned.append(view / np.linalg.norm(view))
        return np.array(turned, np.float32)


def blob(diameter: float) -> tuple[Array, float]:
    """The template where there is no other, a Gaussian as wide as the particle, and the size of its pixels in ångström."""
    section = np.exp(-8 * ((np.arange(SIDE) - (SIDE - 1) / 2) / ACROSS) ** 2)
    return np.outer(section, section).astype(np.float32), diameter / ACROSS


def _likeness(picture: Array, templates: Array) -> Array:
    """For each pixel the correlation coefficient of the template that fits best around it; 0 near the border and on dirt."""
    shape = [fft.next_fast_len(length, real=True) for length in picture.shape]
    picture = picture - picture.mean()
    spectrum = fft.rfft2(picture, shape)

    def correlate(spectrum: Array, window: Array) -> Array:
        product: Array = fft.irfft2(spectrum * fft.rfft2(window, shape).conj(), shape)
        return product[: picture.shape[0] - SIDE + 1, : picture.shape[1] - SIDE + 1]

    count = _MASK.sum()
    mask = _MASK.astype(np.float32)
    mean = correlate(spectrum, mask) / count
    variance = correlate(fft.rfft2(picture**2, shape), mask) / count - mean**2
    best = np.max([correlate(spectrum, template) for template in templates], axis=0)
    usual = np.median(variance)
    score = np.zeros_like(picture)
    inside = score[SIDE // 2 : SIDE // 2 + best.shape[0], SIDE // 2 : SIDE // 2 + best.shape[1]]
    inside[:] = np.where(variance < MOST_CONTRAST * usual, best / np.sqrt(count * np.maximum(variance, usual / 4)), 0)
    return score


def _peaks(score: Array, micrograph: Micrograph, film: Film) -> Iterator[Pick]:
    """The places that are more like a template than all around them, the best first."""
    apart = round(NEAREST * micrograph.diameter / (film.pixel * film.bin))
    around = ndimage.maximum_filter(score, 2 * apart // 2 + 1)
    rows, columns = np.nonzero((score == around) & (score > micrograph.threshold))
    order = np.argsort(-score[rows, columns], kind="stable")
    for row, column in zip(rows[order], columns[order], strict=True):
        # SIDE is even: a window's middle lies half a pixel before the pixel that stands for it.
        x, y = ((place - 0.5) * film.bin + (film.bin - 1) / 2 for place in (column, row))
        yield Pick(x=round(float(x), 1), y=round(float(y), 1), score=round(float(score[row, column]), 4))

"""How pictures lie best upon references: by circles around their centres, in every direction at once.

Multi-reference alignment by rings, as in Penczek, Radermacher & Frank, Ultramicroscopy 40 (1992), 33; the transform over the
angle gives all directions for the price of one.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from films import ACROSS, SIDE
from particles import Array
from scipy import ndimage

DIRECTIONS = 72
"""On each circle: one every five degrees."""
RADII = np.arange(1.0, ACROSS / 2 + 2)
"""Of the circles, in pixels."""
REACH = 2
"""Largest shift that is tried, in pixels along each axis."""
SHIFTS = np.array([(y, x) for y in range(-REACH, REACH + 1) for x in range(-REACH, REACH + 1)], np.float64)

_CENTRE = (SIDE - 1) / 2
_ANGLES = np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS


class Fit(NamedTuple):
    """For each picture, what fits best."""

    reference: npt.NDArray[np.intp]
    """Which of the references."""
    direction: npt.NDArray[np.intp]
    """By how many of `DIRECTIONS` it is turned against it."""
    shift: npt.NDArray[np.float64]
    """Rows and columns by which its centre is beside the middle, shape (N, 2)."""
    likeness: npt.NDArray[np.float64]
    """Their correlation coefficient."""


def best_fit(pictures: Array, references: Array, scale: float = 1.0, library: ModuleType = np) -> Fit:
    """Lay each of (N, SIDE, SIDE) pictures upon the one of (K, SIDE, SIDE) references that it resembles most.

    Parameters
    ----------
    pictures, references
        Pictures; a pixel of a reference is `scale` pixels of a picture.
    library
        Does the arithmetic: numpy, or another that has its functions, such as CuPy on a GPU.
    """
    rings = circles(references, np.zeros((1, 2)))
    wheels = circles(pictures, SHIFTS, scale)
    scores = _correlations(library, library.asarray(_by_direction(wheels)), library.asarray(_by_direction(rings)))
    flat = library.reshape(scores, (len(pictures), -1))
    places = np.array([int(place) for place in library.argmax(flat, axis=1)], np.intp)
    likeness = np.array([float(value) for value in library.max(flat, axis=1)])
    shift, reference, direction = np.unravel_index(places, (len(SHIFTS), len(references), DIRECTIONS))
    return Fit(reference, direction, SHIFTS[shift], likeness)


def _by_direction(samples: Array) -> Array:
    """As the transform wants them, shape (DIRECTIONS, N shifts, radii)."""
    return np.ascontiguousarray(np.moveaxis(samples.reshape(-1, *samples.shape[2:]), 2, 0))


def _correlations(library: Any, wheels: Any, rings: Any) -> Any:
    """Correlation of M wheels with K rings in each direction, shape (M, K, DIRECTIONS): what a GPU is asked for."""
    turning = library.fft.rfft(wheels, axis=0)
    resting = library.conj(library.fft.rfft(rings, axis=0))
    products = library.matmul(turning, library.moveaxis(resting, 1, 2))
    return library.moveaxis(library.fft.irfft(products, n=DIRECTIONS, axis=0), 0, 2)


def circles(pictures: Array, shifts: npt.NDArray[np.float64], scale: float = 1.0) -> Array:
    """Each picture on circles around each centre, of mean 0 and length 1: shape (N, shifts, radii, DIRECTIONS).

    Circles count by their length, so that a sum over them is one over the picture's plane.
    """
    offsets = np.stack([np.outer(RADII, np.sin(_ANGLES)), np.outer(RADII, np.cos(_ANGLES))])
    places = _CENTRE + scale * (shifts.T[:, :, None, None] + offsets[:, None])
    samples = np.array([ndimage.map_coordinates(picture, places, order=1) for picture in pictures], np.float32)
    weights = (RADII / RADII.sum() / DIRECTIONS)[:, None].astype(np.float32)
    samples -= (samples * weights).sum(axis=(2, 3), keepdims=True)
    samples *= np.sqrt(weights)
    length = np.sqrt((samples**2).sum(axis=(2, 3), keepdims=True))
    normal: Array = samples / np.maximum(length, np.float32(1e-6))
    return normal


def laid_upon(picture: Array, direction: int, shift: npt.NDArray[np.float64], scale: float = 1.0) -> Array:
    """A picture moved and turned as its `Fit` says, in pixels of the reference."""
    axis = np.arange(SIDE) - _CENTRE
    y, x = np.meshgrid(axis, axis, indexing="ij")
    cosine, sine = np.cos(_ANGLES[direction]), np.sin(_ANGLES[direction])
    places = np.stack([sine * x + cosine * y + shift[0], cosine * x - sine * y + shift[1]])
    turned: Array = ndimage.map_coordinates(picture, _CENTRE + scale * places, order=3, mode="nearest")
    return turned.astype(np.float32)

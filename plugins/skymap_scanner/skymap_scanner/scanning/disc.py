"""Pixels near a direction, found without making the whole sky."""

from __future__ import annotations

import math

import healpix  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.int64]
Vector = NDArray[np.float64]

_PER_PIXEL = 6.0
"""Points of the grid per width of a pixel: every pixel whose centre is in the disc is hit, however narrow its shape."""
_FEW = 32
"""nside up to which it is cheapest to look at all pixels."""
_TOUCH = 3.0
"""Widths; the centres of pixels that touch are nearer to each other."""
_SMALLEST = 1 << 29
"""nside of the smallest pixels that have 64-bit indices."""
_WIDE = 0.3
"""Radians above which a disc is a good part of the sky."""


def centre(nside: int, ring: int) -> Vector:
    """Return the unit vector (3,) to a pixel's centre."""
    return np.array(healpix.pix2vec(nside, ring))


def width(nside: int) -> float:
    """Return the side of a square of a pixel's area, radians."""
    return math.sqrt(math.pi / 3) / nside


def disc(nside: int, middle: Vector, radius: float) -> Pixels:
    """Return the RING indices of all pixels whose centres are within a radius of a direction, ascending.

    Parameters
    ----------
    nside
        Resolution.
    middle
        Unit vector (3,).
    radius
        Radians.
    """
    if nside <= _FEW or radius > _WIDE:
        candidates = np.arange(12 * nside * nside, dtype=np.int64)
    else:
        candidates = np.unique(healpix.vec2pix(nside, *_grid(middle, radius + width(nside), width(nside) / _PER_PIXEL)))
    centres = np.stack(healpix.pix2vec(nside, candidates), axis=-1)
    # By the chord: an arc cosine is inexact where it matters, near zero.
    inside = np.linalg.norm(centres - middle, axis=-1) <= 2.0 * math.sin(min(radius, math.pi) / 2) + 1e-12
    return np.asarray(candidates[inside])


def _grid(middle: Vector, radius: float, step: float) -> Vector:
    """Return unit vectors (3, n) that cover a disc."""
    first = np.cross(middle, [0.0, 0.0, 1.0] if abs(middle[2]) < 0.9 else [1.0, 0.0, 0.0])
    first /= np.linalg.norm(first)
    second = np.cross(middle, first)
    reach = math.tan(radius)
    side = np.arange(-reach, reach + step, step)
    u, v = (axis.ravel() for axis in np.meshgrid(side, side))
    points = middle[:, None] + first[:, None] * u + second[:, None] * v
    return np.asarray(points / np.linalg.norm(points, axis=0))


def children(nside: int, ring: Pixels, finer: int) -> Pixels:
    """Return the RING indices of the pixels of a finer level inside these, ascending."""
    inside = (finer // nside) ** 2
    nested = healpix.ring2nest(nside, ring)[:, None] * inside + np.arange(inside)
    return np.asarray(np.sort(healpix.nest2ring(finer, nested.ravel())))


def parents(nside: int, ring: Pixels, coarser: int) -> Pixels:
    """Return the RING indices of the pixels of a coarser level that hold these; both of shape (n,)."""
    nested = healpix.ring2nest(nside, ring) // (nside // coarser) ** 2
    return np.asarray(healpix.nest2ring(coarser, nested))


def neighbours(nside: int, ring: int) -> Pixels:
    """Return the RING indices of the pixels that touch this one, ascending."""
    near = disc(nside, centre(nside, ring), _TOUCH * width(nside))
    own, others = _corners(nside, np.array([ring])), _corners(nside, near)
    gaps = np.linalg.norm(others[:, :, None] - own[:, None], axis=-1)
    return np.asarray(near[(gaps.min(axis=(1, 2)) < 0.01 * width(nside)) & (near != ring)])


def _corners(nside: int, ring: Pixels) -> Vector:
    """Return unit vectors (n, 4, 3) to the centres of the smallest pixels in the four corners of each."""
    inside = (_SMALLEST // nside) ** 2
    extremes = np.array([0, inside // 3, 2 * (inside // 3), inside - 1])
    nested = healpix.ring2nest(nside, ring)[:, None] * inside + extremes
    return np.stack(healpix.pix2vec(_SMALLEST, nested, nest=True), axis=-1)

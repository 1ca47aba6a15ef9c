"""Directions on the sky as unit vectors, and angles between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

SQUARE_DEGREES = float(np.degrees(1.0) ** 2)
"""Square degrees in a steradian."""


def vectors_of(ra: ArrayLike, dec: ArrayLike) -> NDArray[np.float64]:
    """Return unit vectors (..., 3) of right ascensions and declinations (...) in radians."""
    return np.stack(np.broadcast_arrays(np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)), axis=-1)


def directions_of(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return right ascensions in [0, 2 pi) and declinations, radians (...), of vectors (..., 3) of any length."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.arctan2(y, x) % (2 * np.pi), np.arctan2(z, np.hypot(x, y))


def separation(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the angles in radians between unit vectors (..., 3), precise for tiny angles too."""
    angles: NDArray[np.float64] = 2 * np.arctan2(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1))
    return angles


def radius_of_cap(area: float) -> float:
    """Return the radius in radians of the circle on the sphere with this area in steradians."""
    return 2 * float(np.arcsin(np.sqrt(min(max(area, 0.0) / (4 * np.pi), 1.0))))

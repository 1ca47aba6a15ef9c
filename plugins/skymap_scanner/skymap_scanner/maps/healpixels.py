"""HEALPix pixels of mixed sizes on the unit sphere (Górski et al. 2005, ApJ 622, 759).

The small library `healpix` is used and not healpy, whose import alone takes 0.8 s and pulls in matplotlib.
"""

from __future__ import annotations

import math
from typing import cast

import healpix  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

FINEST_ORDER = 29
"""The finest order whose pixel numbers fit 64 bits."""


def order_of(nside: int) -> int:
    """Return the order, log2 of `nside`; ValueError if `nside` is not a power of two up to 2^29."""
    if nside < 1 or nside & (nside - 1) or nside > 1 << FINEST_ORDER:
        message = f"nside {nside} is not a power of two from 1 to 2^{FINEST_ORDER}"
        raise ValueError(message)
    return nside.bit_length() - 1


def ring_to_nested(nside: int, ring: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the NESTED indices of pixels given by RING index; both of shape (n,)."""
    return cast(NDArray[np.int64], healpix.ring2nest(nside, ring))


def nested_to_ring(nside: int, nested: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the RING indices of pixels given by NESTED index; both of shape (n,)."""
    return cast(NDArray[np.int64], healpix.nest2ring(nside, nested))


def pixel_area(order: int) -> float:
    """Return the steradians of a pixel."""
    return math.ldexp(math.pi / 3, -2 * order)


def centres_of(order: int, nested: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return unit vectors (n, 3) to the centres of pixels of one order."""
    return np.stack(healpix.pix2vec(1 << order, nested, nest=True), axis=-1)


def centres(order: NDArray[np.int64], nested: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return unit vectors (n, 3) to the centres of pixels of any orders (n,)."""
    vectors = np.empty((len(nested), 3))
    for one in np.unique(order):
        of_order = order == one
        vectors[of_order] = centres_of(int(one), nested[of_order])
    return vectors


def locate(vectors: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the NESTED index at the finest order of every direction; unit vectors (..., 3) to (...)."""
    return cast(NDArray[np.int64], healpix.vec2pix(1 << FINEST_ORDER, *np.moveaxis(vectors, -1, 0), nest=True))


def pixel_direction(nside: int, ring: int) -> tuple[float, float]:
    """Return right ascension and declination, radians, of a pixel's centre."""
    theta, phi = healpix.pix2ang(nside, ring)
    return float(phi), float(np.pi / 2 - theta)


def mirror(nside: int, ring: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the RING indices of the pixels at minus the declination; both of shape (n,)."""
    theta, phi = healpix.pix2ang(nside, ring)
    return cast(NDArray[np.int64], healpix.ang2pix(nside, np.pi - theta, phi))

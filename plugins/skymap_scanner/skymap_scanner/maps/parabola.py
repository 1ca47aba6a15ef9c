"""The minimum between the pixels: of a paraboloid through the pixels round the best one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.maps.best import BestFit
from skymap_scanner.maps.cells import Cells
from skymap_scanner.maps.healpixels import order_of, pixel_area
from skymap_scanner.maps.sphere import directions_of, separation, vectors_of

NEIGHBOURHOOD = 2.5
"""How far the pixels may be that take part, in widths of a pixel: about twenty of them."""

FEWEST = 9
"""Pixels without which there is no fit of six numbers worth the name."""


def interpolated(best: BestFit, cells: Cells) -> NDArray[np.float64] | None:
    """Return right ascension and declination (2,), radians, of the minimum between the pixels.

    None where the surroundings are no bowl with its bottom inside the neighbourhood: the best pixel is then all there is.
    """
    centre = vectors_of(best.ra, best.dec)
    reach = NEIGHBOURHOOD * math.sqrt(pixel_area(order_of(best.nside)))
    near = (separation(cells.centres, centre) < reach) & cells.known
    if near.sum() < FEWEST:
        return None
    east = np.array([-math.sin(best.ra), math.cos(best.ra), 0.0])
    plane = np.stack([east, np.cross(centre, east)]) / reach
    x, y = plane @ cells.centres[near].T
    terms = np.stack([np.ones_like(x), x, y, x * x / 2, x * y, y * y / 2], axis=1)
    _, *slope, xx, xy, yy = np.linalg.lstsq(terms, cells.two_delta[near])[0]
    bend = np.array([[xx, xy], [xy, yy]])
    if np.linalg.eigvalsh(bend)[0] <= 0:
        return None
    offset = -np.linalg.solve(bend, slope)
    if np.hypot(*offset) > 1:
        return None
    ra, dec = directions_of(centre + reach**2 * offset @ plane)
    return np.array([ra, dec])

"""Sizes of a region on the sky: how far it reaches from the best fit."""

from __future__ import annotations

import dataclasses

import numpy as np

from skymap_scanner.maps.best import BestFit
from skymap_scanner.maps.cells import Cells
from skymap_scanner.maps.contour import Contour
from skymap_scanner.maps.sphere import directions_of, radius_of_cap


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class ErrorBox:
    """The rectangle in right ascension and declination that holds a region, and a circle of the same area; radians."""

    ra_plus: float
    """To larger right ascension, in the coordinate itself (no cos dec); pi where the region surrounds a pole."""
    ra_minus: float
    """To smaller right ascension, positive."""
    dec_plus: float
    """To larger declination."""
    dec_minus: float
    """To smaller declination, positive."""
    radius: float
    """Of the circle with the region's area: the circularised error."""


def error_box(best: BestFit, cells: Cells, contour: Contour, two_delta: float) -> ErrorBox:
    """Return how far the region inside a contour reaches from the best fit, all its islands included.

    Parameters
    ----------
    best
        Where to measure from.
    cells
        The map, to tell whether the region holds a pole.
    contour
        The region's edge.
    two_delta
        The level of the contour.
    """
    ra, dec = directions_of(np.concatenate([np.empty((0, 3)), *contour.loops]))
    east, north = (ra - best.ra + np.pi) % (2 * np.pi) - np.pi, dec - best.dec
    poles = cells.two_delta[cells.at(np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]))] < two_delta
    around = poles.any() or not len(ra)
    return ErrorBox(
        ra_plus=np.pi if around else max(float(east.max()), 0.0),
        ra_minus=np.pi if around else max(float(-east.min()), 0.0),
        dec_plus=np.pi / 2 - best.dec if poles[0] else max(float(north.max(initial=0.0)), 0.0),
        dec_minus=np.pi / 2 + best.dec if poles[1] else max(float(-north.min(initial=0.0)), 0.0),
        radius=radius_of_cap(contour.area),
    )

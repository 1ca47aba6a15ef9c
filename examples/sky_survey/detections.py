"""What travels: a tile goes to a worker, the sources on it come back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from mock_sky import MockSky
from pydantic import BaseModel

Table = npt.NDArray[Any]
"""A structured array, a row a source: in memory, on its way and in the catalogue."""

SOURCE = np.dtype(
    [
        ("ra", "f8"),  # ICRS, degrees
        ("dec", "f8"),
        ("mag", "f8"),
        ("mag_error", "f8"),  # one standard deviation, from the noise of sky and star
        ("x", "f8"),  # pixels, the centre of the first being 0
        ("y", "f8"),
        ("border", "f8"),  # pixels to the nearest border of the tile
        ("flags", "i4"),  # of sep: 1 a part of a blend, 2 cut by the border, 16 and 32 pixels missing from its aperture
    ]
)
"""One source, as measured on one tile."""


class Tile(BaseModel, frozen=True):
    """An image of a part of the sky, to be measured."""

    number: int
    """Its place in the survey, from 0."""
    name: str
    """What the catalogue calls it."""
    path: str = ""
    """Where it is."""
    zero_point: float
    """Magnitude of one count, unless the header tells."""
    mock: MockSky | None = None
    """A tile of the mock sky has no file: it is drawn."""


class TileSources(BaseModel, frozen=True, arbitrary_types_allowed=True):
    """A tile that was measured."""

    number: int
    """As in `Tile`."""
    name: str
    """As in `Tile`."""
    seeing: float
    """Diameter of the circle that holds half of a star's light, in arc seconds."""
    corners: list[tuple[float, float]]
    """Right ascension and declination, in degrees, of the corners of what was searched, in the order around it."""
    sources: np.ndarray[Any, Any]
    """Rows of `SOURCE`."""


class Missing(BaseModel, frozen=True):
    """A tile that could not be measured."""

    name: str
    """As in `Tile`."""
    reason: str
    """Why."""

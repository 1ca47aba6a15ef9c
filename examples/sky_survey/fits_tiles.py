"""Opens tiles: the first image of a FITS file, with what its header tells."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS, InconsistentAxisTypesError, InvalidTransformError, SingularMatrixError
from detections import Tile

ZERO_POINTS = ("MAGZERO", "MAGZPT", "PHOTZP")
"""Under these names headers tell the magnitude of one count."""
LEAST_SIDE = 64
"""In pixels; on less there is no telling the sky from the stars."""


class Unreadable(Exception):
    """The tile cannot be measured; replace the file or leave it out."""


class Exposure(NamedTuple):
    """An image as the photometry sees it."""

    counts: npt.NDArray[np.float32]
    """Of shape (rows, columns); 0 where there is no measurement."""
    bad: npt.NDArray[np.bool_]
    """Where there is none."""
    wcs: WCS
    """From pixels to the sky."""
    zero_point: float
    """Magnitude of one count."""
    gain: float | None
    """Electrons a count; None where the header does not tell: then errors leave out the noise of the stars' own light."""


def load(tile: Tile) -> Exposure:
    """The image of a tile; `Unreadable` if the file is damaged or tells no place on the sky."""
    with _understood():
        if tile.mock is not None:
            return _exposure(tile.mock.draw(tile.number), tile)
        with fits.open(tile.path, memmap=False) as hdus:
            for hdu in hdus:
                if hdu.is_image and hdu.header.get("NAXIS") == 2:
                    return _exposure(hdu, tile)
    raise Unreadable("the file holds no image of two dimensions")


@contextmanager
def _understood() -> Iterator[None]:
    """What astropy raises for damaged files, in one line that names no path."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)  # headers of old files are full of small mistakes
            yield
    except FileNotFoundError as error:
        raise Unreadable("the file cannot be opened: no such file") from error
    except OSError as error:
        raise Unreadable(f"not a FITS file that can be opened: {error.strerror or error}") from error
    except (InconsistentAxisTypesError, InvalidTransformError, SingularMatrixError) as error:
        raise Unreadable("the header's world coordinates make no sense") from error
    except (TypeError, ValueError) as error:  # a buffer that is smaller than the header says
        raise Unreadable("the file is cut short: its image is smaller than the header says") from error


def _exposure(hdu: Any, tile: Tile) -> Exposure:
    wcs = WCS(hdu.header)
    if not wcs.has_celestial:
        raise Unreadable("the header tells no place on the sky (no WCS); solve the field first")
    counts = np.ascontiguousarray(hdu.data, np.float32)
    if min(counts.shape) < LEAST_SIDE:
        raise Unreadable(f"the image is too small: {counts.shape[1]} x {counts.shape[0]} pixels")
    bad = ~np.isfinite(counts)
    if bad.mean() > 0.9:
        raise Unreadable("the image is all but empty")
    if np.ptp(counts[~bad]) == 0:
        raise Unreadable("the image is flat: there is no noise in it, and no stars")
    header = hdu.header
    zero_point = next((float(header[name]) for name in ZERO_POINTS if name in header), tile.zero_point)
    gain = float(header.get("GAIN", 0)) or None
    return Exposure(np.where(bad, np.float32(0), counts), bad, wcs.celestial, zero_point, gain)

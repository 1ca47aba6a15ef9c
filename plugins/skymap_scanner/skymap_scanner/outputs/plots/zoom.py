"""The sky round the best fit in an equal-area projection, with celestial grid; poles are no special case."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.maps import SkyMap
from skymap_scanner.maps.best import BestFit
from skymap_scanner.maps.sphere import directions_of, separation, vectors_of
from skymap_scanner.outputs.plots import marks
from skymap_scanner.outputs.plots.sheet import Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMALLEST, LARGEST = math.radians(0.3), math.radians(60.0)
"""Half-widths of pictures that are chosen without the user."""


def zoom(skymap: SkyMap, best: BestFit, radius: float | None = None, width: int = 800) -> Figure:
    """Draw the map round the best fit.

    Parameters
    ----------
    skymap
        The map.
    best
        Its best fit.
    radius
        Half-width of the picture in radians; by default, what holds all contours.
    width
        Of the image, pixels.
    """
    from astropy.visualization.wcsaxes import WCSAxes

    lines, fits = marks.lines_of(skymap), marks.fits_of(skymap)
    radius = radius or _radius(best, lines, fits)
    sheet = Sheet(width=4.2, height=4.2, margin=0.8, ticks=0.55, labels=len(lines) + len(fits) + 2, columns=2)
    axes = WCSAxes(sheet.figure, sheet.place, wcs=_projection(best, radius, width))
    sheet.figure.add_axes(axes)
    values = _values(skymap, best, radius, width)
    image = axes.imshow(values, cmap=marks.colours(), norm=marks.scale(values), origin="lower", interpolation="nearest")
    for line in lines:
        for number, loop in enumerate(line.loops):
            _plot(axes, loop, **line.style, label=line.label if number == 0 else None)
    _plot_directions(axes, skymap, best, fits)
    _graticule(axes)
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(-0.5, width - 0.5)
    sheet.finish(skymap, image)
    return sheet.figure


def _radius(best: BestFit, lines: list[marks.Line], fits: list[marks.Fit]) -> float:
    """Return the half-width that holds all contours, and published fits that are not much farther."""
    centre = vectors_of(best.ra, best.dec)
    loops = [loop for line in lines for loop in line.loops]
    reach = max((float(separation(loop, centre).max()) for loop in loops), default=0.0)
    reach = min(max(1.3 * reach, SMALLEST), LARGEST)
    near = (float(separation(vectors_of(fit.ra, fit.dec), centre)) for fit in fits)
    return max(reach, *(1.1 * far for far in near if far < 3 * reach), 0.0)


def _projection(best: BestFit, radius: float, width: int) -> Any:
    """Return Lambert's zenithal equal-area projection (ZEA of FITS) about the best fit."""
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---ZEA", "DEC--ZEA"]
    wcs.wcs.crval = [math.degrees(best.ra), math.degrees(best.dec)]
    wcs.wcs.crpix = [(width + 1) / 2] * 2
    scale = math.degrees(_half_side(radius)) * 2 / width
    wcs.wcs.cdelt = [-scale, scale]
    wcs.wcs.radesys = "ICRS"
    return wcs


def _half_side(radius: float) -> float:
    """Return how far from the centre the projection puts a point at this angle."""
    return 2 * math.sin(radius / 2)


def _values(skymap: SkyMap, best: BestFit, radius: float, width: int) -> NDArray[np.float64]:
    """Return the map at the middle of every pixel (width, width) of the picture."""
    side = _half_side(radius) * ((np.arange(width) + 0.5) / width * 2 - 1)
    x, y = np.meshgrid(-side, side)
    distance = np.hypot(x, y)
    valid = distance < 2
    cosine = 1 - distance**2 / 2
    stretch = np.sqrt(np.where(valid, 1 - distance**2 / 4, 0.0))
    centre, east = vectors_of(best.ra, best.dec), np.array([-np.sin(best.ra), np.cos(best.ra), 0.0])
    north = np.cross(centre, east)
    vectors = cosine[..., None] * centre + (stretch * x)[..., None] * east + (stretch * y)[..., None] * north
    values = np.full(valid.shape, np.nan)
    values[valid] = skymap.cells.two_delta[skymap.cells.at(vectors[valid])]
    return values


def _plot(axes: Any, vectors: NDArray[np.float64], **style: Any) -> None:
    """Draw a line or a point given as unit vectors."""
    ra, dec = directions_of(np.atleast_2d(vectors))
    axes.plot(np.degrees(ra), np.degrees(dec), transform=axes.get_transform("icrs"), **style)


def _plot_directions(axes: Any, skymap: SkyMap, best: BestFit, fits: list[marks.Fit]) -> None:
    error = skymap.error(best, skymap.schemes[0].levels[1])
    label = f"circle of the 90 % area, {math.degrees(error.radius):.2f}°"
    _plot(axes, marks.circle(best.ra, best.dec, error.radius), color="grey", linestyle=":", linewidth=0.8, label=label)
    for fit, marker in zip(fits, marks.FIT_MARKERS, strict=False):
        _plot(axes, vectors_of(fit.ra, fit.dec), marker=marker, label=fit.name, **marks.PUBLISHED)
    _plot(axes, vectors_of(best.ra, best.dec), markersize=10, **marks.BEST_FIT)


def _graticule(axes: Any) -> None:
    axes.coords.grid(color="black", alpha=0.3, linewidth=0.4)
    ra, dec = axes.coords
    ra.set_axislabel("right ascension")
    dec.set_axislabel("declination")
    ra.set_format_unit("deg", decimal=True)
    dec.set_format_unit("deg", decimal=True)

"""The whole sky in Mollweide's projection, right ascension in hours rising to the left, 12 h in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.maps import SkyMap
from skymap_scanner.maps.sphere import directions_of, vectors_of
from skymap_scanner.outputs.plots import marks
from skymap_scanner.outputs.plots.sheet import Sheet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HALF_WIDTH = 2 * np.sqrt(2)
"""Of the ellipse, in the units of matplotlib's projection; its half-height is half of it."""


def full_sky(skymap: SkyMap, width: int = 1600) -> Figure:
    """Draw 2 (llh - lowest llh) over the sky, contours, best fit and published fits; the image is `width` pixels wide."""
    from matplotlib.image import AxesImage

    lines, fits = marks.lines_of(skymap), marks.fits_of(skymap)
    sheet = Sheet(width=6.3, height=3.15, margin=0.4, ticks=0.15, labels=len(lines) + len(fits) + 1, columns=4)
    axes: Any = sheet.figure.add_axes(sheet.place, projection="mollweide")
    known = skymap.cells.two_delta[skymap.cells.known]
    image = AxesImage(
        axes,
        cmap=marks.colours(),
        norm=marks.scale(known),
        extent=(-HALF_WIDTH, HALF_WIDTH, -HALF_WIDTH / 2, HALF_WIDTH / 2),
        origin="lower",
        interpolation="nearest",
    )
    image.set_data(_values(skymap, width))
    image.set_transform(axes.transAffine + axes.transAxes)
    image.set_clip_path(axes.patch)
    axes.add_image(image)
    for line in lines:
        for number, loop in enumerate(line.loops):
            axes.plot(*_longitudes(loop), **line.style, label=line.label if number == 0 else None)
    _directions(axes, skymap, fits)
    _graticule(axes)
    sheet.finish(skymap, image)
    return sheet.figure


def _values(skymap: SkyMap, width: int) -> NDArray[np.float64]:
    """Return the map at the middle of every pixel (width / 2, width) of the picture, NaN outside of the ellipse."""
    x = (np.arange(width) + 0.5) / width * 2 - 1
    y = (np.arange(width // 2) + 0.5) / (width // 2) * 2 - 1
    auxiliary = np.arcsin(y)[:, None]
    longitude = np.pi * x / np.cos(auxiliary)
    latitude = np.arcsin((2 * auxiliary + np.sin(2 * auxiliary)) / np.pi)
    inside = np.abs(longitude) <= np.pi
    values = np.full(inside.shape, np.nan)
    vectors = vectors_of(np.pi - longitude, np.broadcast_to(latitude, inside.shape))
    values[inside] = skymap.cells.two_delta[skymap.cells.at(vectors[inside])]
    return values


def _longitudes(vectors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return longitude and latitude on the picture, with gaps where a line leaves at one edge and comes in at the other."""
    ra, dec = directions_of(vectors)
    longitude = np.pi - ra
    jumps = np.flatnonzero(np.abs(np.diff(longitude)) > np.pi) + 1
    return np.insert(longitude, jumps, np.nan), np.insert(dec, jumps, np.nan)


def _directions(axes: Any, skymap: SkyMap, fits: list[marks.Fit]) -> None:
    for fit, marker in zip(fits, marks.FIT_MARKERS, strict=False):
        axes.plot(np.pi - fit.ra, fit.dec, marker=marker, label=fit.name, **marks.PUBLISHED)
    if skymap.best is not None:
        axes.plot(np.pi - skymap.best.ra, skymap.best.dec, markersize=8, **marks.BEST_FIT)


def _graticule(axes: Any) -> None:
    from matplotlib.patheffects import withStroke

    hours = np.arange(22, 0, -2)
    axes.set_xticks(np.pi - np.radians(15 * hours), [""] * len(hours))
    for hour in hours:
        halo = [withStroke(linewidth=1.5, foreground="white")]
        axes.annotate(f"{hour} h", (np.pi - np.radians(15 * hour), 0.02), ha="center", fontsize=6.5, path_effects=halo)
    declinations = np.arange(-60, 61, 30)
    axes.set_yticks(
        np.radians(declinations), [f"{declination:d}°".replace("-", marks.MINUS) for declination in declinations]
    )
    axes.grid(color="0.6", alpha=0.6, linewidth=0.4)

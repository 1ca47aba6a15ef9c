"""Task `measure`: finds the sources on a tile and measures them, with `sep`, the library of SourceExtractor's algorithms.

Barbary, Journal of Open Source Software 1(6), 58 (2016); Bertin & Arnouts, Astronomy & Astrophysics Supplement 117 (1996).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sep
from detections import SOURCE, Table, Tile, TileSources
from fits_tiles import Exposure, load
from scipy.spatial import cKDTree

THRESHOLD = 5.0
"""Sources are this many standard deviations above the noise, after the filter that suits a star best."""
LEAST_PIXELS = 3
MESH = 64
"""Pixels along each side of the squares in which the sky is measured."""
APERTURE, WHOLE = 1.0, 3.0
"""Radii in which light is summed, and in which there is all of it; times the seeing."""
BRIGHT = 100.0
"""Signal to noise of the stars that tell how much light is outside the aperture."""
GAUSSIAN_PART = 1 - 0.5 ** (4 * APERTURE**2)
"""Of a Gaussian star's light inside the aperture: where there are no bright stars."""
USUAL_SEEING = 3.0
"""In pixels: where there are no bright stars."""
WIDTH = 2 * math.sqrt(2 * math.log(2))
"""Full width at half maximum of a Gaussian, in standard deviations."""

Floats = npt.NDArray[np.float64]


class Field(NamedTuple):
    """A tile whose sky has been taken away."""

    light: npt.NDArray[np.float32]
    """Counts above the sky."""
    noise: npt.NDArray[np.float32]
    """Standard deviation of the sky in each pixel, in counts."""
    bad: npt.NDArray[np.bool_]
    """Pixels without a measurement."""
    gain: float | None
    """As in `Exposure`."""

    def sums(self, x: Floats, y: Floats, radius: float) -> tuple[Floats, Floats, npt.NDArray[np.int32]]:
        """Light inside circles, its error, and sep's flags."""
        return sep.sum_circle(self.light, x, y, radius, err=self.noise, mask=self.bad, gain=self.gain)  # type: ignore[no-any-return]


def measure(tile: Tile) -> TileSources:
    """The sources on one tile; `fits_tiles.Unreadable` if it is damaged or empty."""
    exposure = load(tile)
    sky = sep.Background(exposure.counts, mask=exposure.bad, bw=MESH, bh=MESH)
    field = Field(exposure.counts - sky.back(), sky.rms(), exposure.bad, exposure.gain)
    seeing = _seeing(field)
    sources = _sources(field, exposure, seeing)
    scale = math.sqrt(abs(np.linalg.det(exposure.wcs.pixel_scale_matrix))) * 3600
    return TileSources(
        number=tile.number,
        name=tile.name,
        seeing=round(seeing * scale, 3),
        corners=_corners(exposure, APERTURE * seeing),
        sources=sources,
    )


def _extract(field: Field, threshold: float, seeing: float) -> Any:
    """The table of `sep` with all that stands out, through a filter of a star's shape."""
    reach = math.ceil(seeing)
    squares = np.arange(-reach, reach + 1) ** 2
    kernel = np.exp(-(squares[:, None] + squares) * WIDTH**2 / (2 * seeing**2))
    sep.set_extract_pixstack(max(300_000, field.light.size))
    sep.set_sub_object_limit(8192)
    return sep.extract(
        field.light,
        threshold,
        err=field.noise,
        mask=field.bad,
        minarea=LEAST_PIXELS,
        filter_kernel=kernel,
        filter_type="matched",
        clean=False,  # after a matched filter it takes half of the faint stars for wings of bright ones
    )


def _seeing(field: Field) -> float:
    """Diameter in pixels of the circle that holds half of a star's light; of a Gaussian, the full width at half maximum."""
    found = _extract(field, 10 * THRESHOLD, USUAL_SEEING)
    stars = found[found["flag"] == 0]
    if not len(stars):
        return USUAL_SEEING
    radius, _ = sep.flux_radius(field.light, stars["x"], stars["y"], 3 * stars["a"] + 3, 0.5, mask=field.bad)
    return float(np.clip(2 * np.median(radius), 1.5, 15.0))


def _sources(field: Field, exposure: Exposure, seeing: float) -> Table:
    """Rows of `SOURCE`: all but those that are so near to the border that a part of their light is beyond it."""
    found = _extract(field, THRESHOLD, seeing)
    x, y, _ = sep.winpos(field.light, found["x"], found["y"], np.full(len(found), seeing / WIDTH), mask=field.bad)
    radius = APERTURE * seeing
    light, error, flags = field.sums(x, y, radius)
    border = np.min([x, y, field.light.shape[1] - 1 - x, field.light.shape[0] - 1 - y], axis=0)
    keep = (border >= radius) & (light > 0)
    part = _part_inside(field, x, y, light / error, seeing)
    sources = np.zeros(len(found), SOURCE)
    place = exposure.wcs.pixel_to_world(x, y).icrs
    sources["ra"], sources["dec"] = place.ra.deg, place.dec.deg
    sources["x"], sources["y"], sources["border"] = x, y, border
    sources["mag_error"][keep] = 2.5 / math.log(10) * error[keep] / light[keep]
    sources["mag"][keep] = exposure.zero_point - 2.5 * np.log10(light[keep] / part)
    sources["flags"] = found["flag"] | flags
    kept: Table = sources[keep]
    return kept


def _part_inside(field: Field, x: Floats, y: Floats, signal: Floats, seeing: float) -> float:
    """The part of a star's light that is inside the aperture, from bright stars that stand alone."""
    alone = cKDTree(np.stack([x, y], axis=1)).query(np.stack([x, y], axis=1), 2)[0][:, 1] > WHOLE * seeing
    bright = alone & (signal > BRIGHT)
    inside, _, _ = field.sums(x[bright], y[bright], APERTURE * seeing)
    whole, _, flags = field.sums(x[bright], y[bright], WHOLE * seeing)
    good = (flags == 0) & (whole > 0)
    return float(np.median(inside[good] / whole[good])) if good.any() else GAUSSIAN_PART


def _corners(exposure: Exposure, border: float) -> list[tuple[float, float]]:
    rows, columns = exposure.counts.shape
    x = [border, columns - 1 - border, columns - 1 - border, border]
    y = [border, border, rows - 1 - border, rows - 1 - border]
    places = exposure.wcs.pixel_to_world(x, y).icrs
    return [(float(place.ra.deg), float(place.dec.deg)) for place in places]

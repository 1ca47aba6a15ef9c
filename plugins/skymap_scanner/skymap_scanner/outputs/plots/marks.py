"""What is drawn on every map: contours, best fit, published fits, and the words about them."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.maps import SkyMap
from skymap_scanner.maps.confidence import Level, Scheme
from skymap_scanner.maps.sphere import SQUARE_DEGREES, vectors_of
from skymap_scanner.outputs.cards import utc_of

if TYPE_CHECKING:
    from matplotlib.colors import Colormap, Normalize

MINUS = "\N{MINUS SIGN}"

QUANTITY = f"2 (llh {MINUS} lowest llh)"
"""What the shades mean."""

COLOURS = {"50": "black", "90": "tab:red", "3sigma": "tab:blue"}
"""Of contours, by level."""

LINES = ("-", "--", ":")
"""Of contours, by scheme."""

BEST_FIT = {"marker": "*", "linestyle": "none", "color": "white", "markeredgecolor": "black", "label": "best fit"}
"""How the best fit is drawn."""

PUBLISHED = {
    "linestyle": "none",
    "color": "deepskyblue",
    "markeredgecolor": "black",
    "markeredgewidth": 0.5,
    "markersize": 5,
}
"""How published fits are drawn, beside their markers."""

FIT_MARKERS = "sDv^<>pPh8"
"""Of published fits, one after the other."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Line:
    """A contour to be drawn."""

    loops: tuple[NDArray[np.float64], ...]
    """Closed lines of unit vectors, their first point repeated at the end."""
    style: dict[str, Any]
    """How, in words of matplotlib."""
    label: str
    """For the legend."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """A published fit to be drawn."""

    name: str
    """For the legend."""
    ra: float
    """Radians."""
    dec: float
    """Radians."""


def lines_of(skymap: SkyMap) -> list[Line]:
    """Return the contours to draw; none without a direction."""
    if skymap.best is None:
        return []
    return [
        _line(skymap, scheme, LINES[number], level) for number, scheme in enumerate(skymap.drawn) for level in scheme.levels
    ]


def _line(skymap: SkyMap, scheme: Scheme, dashes: str, level: Level) -> Line:
    contour = skymap.contour(level)
    area = contour.area * SQUARE_DEGREES
    name = scheme.name.capitalize()
    return Line(
        loops=tuple(np.concatenate([loop, loop[:1]]) for loop in contour.loops),
        style={"color": COLOURS[level.key], "linestyle": dashes, "linewidth": 1.0},
        label=f"{level.label} ({name}), {area:.3g} sq. deg",
    )


def fits_of(skymap: SkyMap) -> list[Fit]:
    """Return the published fits on the sky, in the sequence of the event."""
    if not skymap.result.fits:
        return []
    from skymap_scanner.detector.coordinates import to_equatorial

    header = skymap.result.header
    fits = []
    for fit in skymap.result.fits:
        ra, dec = to_equatorial(np.array([fit.zenith]), np.array([fit.azimuth]), header.mjd)
        fits.append(Fit(name=fit.name, ra=float(ra[0]), dec=float(dec[0])))
    return fits


def title_of(skymap: SkyMap) -> str:
    """Return which event, when, by which reconstruction, and how complete."""
    header = skymap.result.header
    if not header.run_id:
        return "Unknown event"
    words = [f"Run {header.run_id}, event {header.event_id}"]
    if header.event_type:
        words.append(header.event_type)
    if not header.is_real:
        words.append("simulated")
    elif math.isfinite(header.mjd):
        words.append(f"{utc_of(header.mjd)[:19].replace('T', ' ')} UTC")
    if skymap.result.reco:
        words.append(skymap.result.reco)
    if not skymap.result.complete:
        words.append(f"partial, {sum(map(len, skymap.result.levels.values()))} pixels")
    return ", ".join(words)


def verdict_of(skymap: SkyMap) -> str:
    """Return the best direction with its 90 % errors, or why there is none."""
    if skymap.best is None:
        return str(skymap.why_no_direction)
    box = skymap.error(skymap.best, skymap.schemes[0].levels[1])
    ra = f"{math.degrees(skymap.best.ra):.2f}° (+{math.degrees(box.ra_plus):.2f} -{math.degrees(box.ra_minus):.2f})"
    dec = f"{math.degrees(skymap.best.dec):+.2f}° (+{math.degrees(box.dec_plus):.2f} -{math.degrees(box.dec_minus):.2f})"
    return f"RA {ra}, dec {dec}, 90 %".replace("-", MINUS)


def circle(ra: float, dec: float, radius: float) -> NDArray[np.float64]:
    """Return a closed circle of unit vectors (181, 3) round a direction; radians."""
    centre, angle = vectors_of(ra, dec), np.linspace(0, 2 * np.pi, 181)[:, None]
    east = np.array([-np.sin(ra), np.cos(ra), 0.0])
    around = np.cos(angle) * east + np.sin(angle) * np.cross(centre, east)
    points: NDArray[np.float64] = np.cos(radius) * centre + np.sin(radius) * around
    return points


def colours() -> Colormap:
    """Return the colours of the map, grey where nothing is known."""
    from matplotlib import colormaps

    return colormaps["plasma_r"].with_extremes(bad="lightgrey")


def scale(values: NDArray[np.float64]) -> Normalize:
    """Return the scale of the colours for these values (n,); NaN is left out.

    The square root is about linear in the angle from the best fit, so that both the minimum and the far sky have shades.
    """
    from matplotlib.colors import PowerNorm

    return PowerNorm(0.5, vmin=0.0, vmax=float(np.nanmax(values, initial=0.0)) or 1.0)

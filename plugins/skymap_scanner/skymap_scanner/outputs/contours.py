"""Contours as text."""

from __future__ import annotations

import numpy as np

from skymap_scanner.maps import SkyMap
from skymap_scanner.maps.confidence import Level, Scheme
from skymap_scanner.maps.sphere import SQUARE_DEGREES, directions_of


def contour_text(skymap: SkyMap, scheme: Scheme, level: Level) -> str:
    """Return all loops of a contour: a table of loop, right ascension and declination in degrees, comments after `#`."""
    contour = skymap.contour(level)
    lines = [
        f"# {level.label} contour, 2 (llh - lowest llh) = {level.two_delta:g}: {scheme.note}",
        f"# area {contour.area * SQUARE_DEGREES:.6g} sq. deg; {len(contour.loops)} closed loops, the inside to their left",
        "loop ra dec",
    ]
    for number, loop in enumerate(contour.loops):
        for ra, dec in np.degrees(np.stack(directions_of(loop), axis=-1)).tolist():
            lines.append(f"{number} {ra:.7f} {dec:.7f}")
    return "\n".join(lines) + "\n"

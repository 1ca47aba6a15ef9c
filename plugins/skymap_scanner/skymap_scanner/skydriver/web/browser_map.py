"""A map as the page draws it: small enough to be sent to everybody who watches, each time that it changes.

Cells go as runs of consecutive numbers and one 32-bit number each; their edges on the sky are computed in the browser, by
`static/healpix.js`, since they would be twenty times as much.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.maps import SkyMap, overview
from skymap_scanner.maps.confidence import Level, Scheme
from skymap_scanner.maps.sphere import SQUARE_DEGREES, directions_of, separation, vectors_of
from skymap_scanner.outputs.plots.marks import fits_of, title_of, verdict_of
from skymap_scanner.skydriver.web.sources import sources_of

_DIGITS = 5
"""Decimal places of degrees in lines: 0.04 arc seconds."""


def browser_map(skymap: SkyMap) -> dict[str, Any]:
    """Return a map, complete or not, ready for JSON; angles in degrees, areas in square degrees.

    `runs` holds three numbers for each run of cells: the number of the first (NUNIQ), how many there are, and the order of
    the pixels that gave them their values. `values` is 2 (llh - lowest llh) of all cells in the sequence of the runs, base64
    of little-endian 32-bit numbers, NaN where nothing is known. The map does not depend on the order of rows and levels.
    """
    cells, best = skymap.cells, skymap.best
    known = cells.two_delta[cells.known]
    numbers = overview(skymap)
    return {
        "title": title_of(skymap),
        "verdict": verdict_of(skymap),
        "runs": _runs(cells.uniq, sources_of(cells, skymap.result.levels).order),
        "values": packed(cells.two_delta, "<f4"),
        "lowest": float(cells.llh[cells.known].min()) if len(known) else None,
        "limits": [0.0, float(known.max(initial=0.0)) or 1.0],
        "overview": numbers,
        "contours": [] if best is None else [_contour(skymap, s, lev) for s in skymap.drawn for lev in s.levels],
        "fits": _fits(skymap),
    }


def packed(numbers: NDArray[Any], kind: str) -> str:
    """Return numbers as base64 of an array of this dtype, for `unpacked` of `static/packing.js`."""
    return base64.b64encode(numbers.astype(kind).tobytes()).decode("ascii")


def _runs(uniq: NDArray[np.int64], order: NDArray[np.int64]) -> list[int]:
    begins = np.flatnonzero(np.concatenate([[True], (np.diff(uniq) != 1) | (np.diff(order) != 0)]))
    counts = np.diff(np.concatenate([begins, [len(uniq)]]))
    runs: list[int] = np.stack([uniq[begins], counts, order[begins]], axis=1).ravel().tolist()
    return runs


def _contour(skymap: SkyMap, scheme: Scheme, level: Level) -> dict[str, Any]:
    contour = skymap.contour(level)
    return {
        "scheme": scheme.name,
        "note": scheme.note,
        "key": level.key,
        "label": level.label,
        "two_delta": level.two_delta,
        "area": contour.area * SQUARE_DEGREES,
        "loops": [_line(loop) for loop in contour.loops],
    }


def _line(vectors: NDArray[np.float64]) -> list[float]:
    """Right ascension and declination by turns."""
    angles: list[float] = np.degrees(np.stack(directions_of(vectors), axis=-1)).round(_DIGITS).ravel().tolist()
    return angles


def _fits(skymap: SkyMap) -> list[dict[str, Any]]:
    best = skymap.best
    found = []
    for fit in fits_of(skymap):
        place = vectors_of(fit.ra, fit.dec)
        distance = None if best is None else float(np.degrees(separation(place, vectors_of(best.ra, best.dec))))
        found.append({"name": fit.name, **_degrees(fit.ra, fit.dec), "distance": distance})
    return found


def _degrees(ra: float, dec: float) -> dict[str, float]:
    return {"ra": float(np.degrees(ra)), "dec": float(np.degrees(dec))}

"""The map in numbers: what `summary.json` and `best_fit.json` say about the sky."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skymap_scanner.maps.confidence import Scheme
from skymap_scanner.maps.errors import ErrorBox
from skymap_scanner.maps.parabola import interpolated
from skymap_scanner.maps.probability import credible_area
from skymap_scanner.maps.skymap import SkyMap
from skymap_scanner.maps.sphere import SQUARE_DEGREES
from skymap_scanner.result import ScanResult


def summary(result: ScanResult, *, classification: object = None) -> dict[str, Any]:
    """Return `overview` of a scan; `classification` is the event's, with `kind` either `track` or `cascade`."""
    return overview(SkyMap.of(result, classification))


def overview(skymap: SkyMap) -> dict[str, Any]:
    """Return best fit, errors and areas, in degrees and square degrees, ready for JSON.

    `best_fit` is None while no pixel has a value, and for showers, whose map tells nothing about the sky; `note` says which.
    """
    result, best = skymap.result, skymap.best
    found: dict[str, Any] = {
        "run_id": result.header.run_id,
        "event_id": result.header.event_id,
        "event_type": result.header.event_type,
        "mjd": result.header.mjd if math.isfinite(result.header.mjd) else None,
        "is_real_event": result.header.is_real,
        "reco": result.reco,
        "complete": result.complete,
        "pixels": {str(nside): len(rows) for nside, rows in sorted(result.levels.items())},
        "pixels_without_value": int(sum((~np.isfinite(rows["llh"])).sum() for rows in result.levels.values())),
        "best_fit": None,
    }
    if best is None:
        return found | {"note": skymap.why_no_direction}
    between = interpolated(best, skymap.cells)
    return found | {
        "best_fit": _direction(best.ra, best.dec) | {"nside": best.nside, "pixel": best.index, "llh": best.llh},
        "interpolated": None if between is None else _direction(*between.tolist()),
        "errors": {level.key: _error(skymap.error(best, level)) for level in skymap.schemes[0].levels[:2]},
        "contours": {scheme.name: _contours(skymap, scheme) for scheme in skymap.schemes},
        "credible_areas": {
            key: credible_area(skymap.cells, skymap.probability, content) * SQUARE_DEGREES
            for key, content in (("50", 0.5), ("90", 0.9))
        },
    }


def _direction(ra: float, dec: float) -> dict[str, Any]:
    return {"ra": math.degrees(ra), "dec": math.degrees(dec)}


def _error(box: ErrorBox) -> dict[str, float]:
    names = ("ra_plus", "ra_minus", "dec_plus", "dec_minus", "radius")
    return {name: math.degrees(getattr(box, name)) for name in names}


def _contours(skymap: SkyMap, scheme: Scheme) -> dict[str, Any]:
    described: dict[str, Any] = {"note": scheme.note}
    for level in scheme.levels:
        inside = skymap.cells.two_delta < level.two_delta
        described[level.key] = {
            "two_delta_llh": level.two_delta,
            "area": skymap.contour(level).area * SQUARE_DEGREES,
            "cells": int(inside.sum()),
            "cell_area": float(skymap.cells.area[inside].sum()) * SQUARE_DEGREES,
            "loops": len(skymap.contour(level).loops),
        }
    return described

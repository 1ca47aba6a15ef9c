"""Two scans side by side, as numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.maps import SkyMap
from skymap_scanner.maps.cells import Cells
from skymap_scanner.maps.comparison import compare
from skymap_scanner.maps.healpixels import FINEST_ORDER, pixel_area
from skymap_scanner.maps.sphere import SQUARE_DEGREES
from skymap_scanner.outputs.plots.marks import title_of


def compared(first: SkyMap, second: SkyMap) -> dict[str, Any]:
    """Return how far apart the best fits are, and what the regions have in common: degrees and square degrees, for JSON.

    Regions are those of Wilks' levels, of whole cells. `pixels` tells for each nside that both have how many pixels are in
    both, in one only, and beyond the tolerances of `icecube-skyreader`.
    """
    found = compare(first.result, second.result)
    has_directions = first.best is not None and second.best is not None
    return {
        "titles": [title_of(first), title_of(second)],
        "close": found.is_close,
        "separation": None if found.separation is None else math.degrees(found.separation),
        "best_fits": [_best(first), _best(second)],
        "regions": [_region(first, second, number) for number in range(len(first.schemes[0].levels))]
        if has_directions
        else [],
        "pixels": {
            str(nside): {
                "both": level.pixels,
                "only_first": level.only_first,
                "only_second": level.only_second,
                "different": level.different,
            }
            for nside, level in found.levels.items()
        },
        "only_first": list(found.only_first),
        "only_second": list(found.only_second),
    }


def _best(skymap: SkyMap) -> dict[str, Any] | None:
    best = skymap.best
    if best is None:
        return None
    box = skymap.error(best, skymap.schemes[0].levels[1])
    return {
        "ra": math.degrees(best.ra),
        "dec": math.degrees(best.dec),
        "llh": best.llh,
        "nside": best.nside,
        "radius": math.degrees(box.radius),
        "reco": skymap.result.reco,
    }


def _region(first: SkyMap, second: SkyMap, number: int) -> dict[str, Any]:
    level = first.schemes[0].levels[number]
    spans = [_spans(skymap.cells, skymap.cells.two_delta < level.two_delta) for skymap in (first, second)]
    common = _common(*spans) * pixel_area(FINEST_ORDER) * SQUARE_DEGREES
    areas = [
        float(skymap.cells.area[skymap.cells.two_delta < level.two_delta].sum()) * SQUARE_DEGREES
        for skymap in (first, second)
    ]
    return {
        "key": level.key,
        "label": level.label,
        "areas": [skymap.contour(level).area * SQUARE_DEGREES for skymap in (first, second)],
        "cell_areas": areas,
        "common": common,
        "overlap": common / (sum(areas) - common),
    }


def _spans(cells: Cells, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Cells as spans [from, to) of pixels of the finest order, (n, 2), sorted."""
    shift = 2 * (FINEST_ORDER - cells.order[chosen])
    first = cells.index[chosen] << shift
    spans = np.stack([first, first + (np.int64(1) << shift)], axis=1)
    return np.asarray(spans[np.argsort(first)])


def _common(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """How many pixels are in both: each pair of spans that meet is found by where they begin."""
    edges = np.unique(np.concatenate([one.ravel(), other.ravel()]))
    inside = [np.searchsorted(spans[:, 0], edges[:-1], side="right") - 1 for spans in (one, other)]
    within = [
        (place >= 0) & (edges[:-1] < spans[np.maximum(place, 0), 1])
        for place, spans in zip(inside, (one, other), strict=True)
    ]
    return float(np.diff(edges)[within[0] & within[1]].sum(dtype=float))

"""The best pixel of a scan."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.maps import healpixels


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class BestFit:
    """The pixel of lowest negative log-likelihood."""

    nside: int
    """Its resolution."""
    index: int
    """RING index."""
    llh: float
    """Negative log-likelihood."""
    ra: float
    """Right ascension of its centre, radians."""
    dec: float
    """Declination of its centre, radians."""


def best_fit(levels: Mapping[int, NDArray[np.void]]) -> BestFit | None:
    """Return the lowest pixel of all levels, or None while no pixel has a value.

    Coarse pixels count although finer ones cover them, as in icecube-skyreader and in the rule by which a scan is refined.
    Equal values: the coarsest pixel, then the lowest index. NaN never wins.
    """
    candidates = []
    for nside, rows in levels.items():
        valid = rows[np.isfinite(rows["llh"])]
        if len(valid):
            first = np.lexsort((valid["index"], valid["llh"]))[0]
            candidates.append((float(valid["llh"][first]), nside, int(valid["index"][first])))
    if not candidates:
        return None
    llh, nside, index = min(candidates)
    ra, dec = healpixels.pixel_direction(nside, index)
    return BestFit(nside=nside, index=index, llh=llh, ra=ra, dec=dec)

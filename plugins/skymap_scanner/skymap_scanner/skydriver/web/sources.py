"""From which scanned pixel each cell of a map has its value."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.maps.cells import Cells
from skymap_scanner.maps.healpixels import order_of, ring_to_nested
from skymap_scanner.result import ROW


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Sources:
    """The scanned pixels behind cells, in the sequence of the cells."""

    order: NDArray[np.int64]
    """(n,) log2 of nside of the scanned pixel: that of the cell or a coarser one; of the cell where nothing is known."""
    rows: NDArray[np.void]
    """(n,) of dtype `ROW`; index -1 and NaN where nothing is known."""


def sources_of(cells: Cells, levels: Mapping[int, NDArray[np.void]]) -> Sources:
    """Return what gave the cells of these levels their values: the finest pixel with a value that holds the cell."""
    order = cells.order.copy()
    rows = np.zeros(len(order), dtype=ROW)
    for name in ROW.names or ():
        rows[name] = -1 if name == "index" else np.nan
    for nside, level in sorted(levels.items()):
        scanned = level[np.isfinite(level["llh"])]
        if not len(scanned):
            continue
        own = order_of(nside)
        nested = ring_to_nested(nside, scanned["index"].astype(np.int64))
        sequence = np.argsort(nested)
        inside = np.flatnonzero((cells.order >= own) & cells.known)
        wanted = cells.index[inside] >> (2 * (cells.order[inside] - own))
        place = np.minimum(np.searchsorted(nested[sequence], wanted), len(nested) - 1)
        found = nested[sequence[place]] == wanted
        rows[inside[found]] = scanned[sequence[place[found]]]
        order[inside[found]] = own
    return Sources(order=order, rows=rows)

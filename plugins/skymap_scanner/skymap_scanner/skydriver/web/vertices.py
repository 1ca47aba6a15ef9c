"""What the reconstruction found in each cell beside its likelihood: fetched by pages whose reader points at the map."""

from __future__ import annotations

from typing import Any

import numpy as np

from skymap_scanner.maps import SkyMap
from skymap_scanner.skydriver.web.browser_map import packed
from skymap_scanner.skydriver.web.sources import sources_of

COLUMNS = ("X", "Y", "Z", "T", "E_in", "E_tot")


def vertices(skymap: SkyMap) -> dict[str, Any]:
    """Return, in the sequence of the cells of `browser_map`, the scanned pixel's RING index and its vertex, base64.

    `index` has 32-bit whole numbers, -1 where nothing is known, and the columns (m, ns, GeV) 32-bit numbers, NaN where there
    is none; a column without any number is left out.
    """
    rows = sources_of(skymap.cells, skymap.result.levels).rows
    columns = {name: packed(rows[name], "<f4") for name in COLUMNS if np.isfinite(rows[name]).any()}
    return {"index": packed(rows["index"], "<i4")} | columns

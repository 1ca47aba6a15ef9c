"""Makes one catalogue of the sources of all tiles: what several tiles saw is kept once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from detections import SOURCE, Table, TileSources
from scipy.spatial import cKDTree

RADIUS = 1.0
"""In arc seconds: what is nearer to each other on two tiles is one source."""

ENTRY = np.dtype([*SOURCE.descr, ("tile", "i4"), ("seen", "i4")])
"""A source, the number of the tile that it was measured on, and on how many tiles it was found."""


class Merged(NamedTuple):
    """The sources of all tiles, each once."""

    entries: Table
    """Rows of `ENTRY`, by declination and right ascension."""
    differences: npt.NDArray[np.float64]
    """For each that was left out, its magnitude less that of the one that was kept."""


def merge(tiles: Sequence[TileSources]) -> Merged:
    """The catalogue; the same for the same tiles in any order.

    Of what several tiles saw, the measurement that is farthest from its tile's border is kept: there the image is best, and
    the choice depends on no order. Two sources of one tile are two, however near.
    """
    found = [_entries(tile) for tile in sorted(tiles, key=lambda tile: tile.number)]
    entries = np.concatenate([np.zeros(0, ENTRY), *found])
    entries = entries[np.lexsort([entries["ra"], entries["dec"], entries["tile"], -entries["border"]])]
    twin_of = _twins(entries)
    copies = np.flatnonzero(twin_of >= 0)
    np.add.at(entries["seen"], twin_of[copies], 1)
    differences = entries["mag"][copies] - entries["mag"][twin_of[copies]]
    kept = entries[twin_of < 0]
    return Merged(kept[np.lexsort([kept["ra"], kept["dec"]])], differences)


def _entries(tile: TileSources) -> Table:
    entries = np.zeros(len(tile.sources), ENTRY)
    for name in SOURCE.names or ():
        entries[name] = tile.sources[name]
    entries["tile"], entries["seen"] = tile.number, 1
    return entries


def _twins(entries: Table) -> npt.NDArray[np.intp]:
    """For each entry the row, above its own, of the same source on another tile; -1 for those that are kept."""
    twin_of = np.full(len(entries), -1)
    pairs = cKDTree(unit_vectors(entries)).query_pairs(chord(RADIUS), output_type="ndarray")
    pairs = pairs[entries["tile"][pairs[:, 0]] != entries["tile"][pairs[:, 1]]]
    for first, second in pairs[np.lexsort(pairs.T)]:
        if twin_of[first] < 0 and twin_of[second] < 0:
            twin_of[second] = first
    return twin_of


def unit_vectors(places: Table) -> npt.NDArray[np.float64]:
    """Of shape (N, 3), from fields `ra` and `dec` in degrees: distances in space are good at the poles too."""
    ra, dec = np.radians(places["ra"]), np.radians(places["dec"])
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)


def chord(angle: float) -> float:
    """Distance in space, on the unit sphere, of points that are so many arc seconds apart."""
    return float(2 * np.sin(np.radians(angle / 3600) / 2))

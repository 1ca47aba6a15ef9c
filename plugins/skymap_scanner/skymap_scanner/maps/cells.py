"""Cells: what a scan knows, as pixels of mixed sizes that cover the sky exactly once."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.maps import healpixels


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """Pixels of mixed sizes that cover the sky exactly once, sorted by order, then index."""

    order: NDArray[np.int64]
    """(n,) log2 of nside."""
    index: NDArray[np.int64]
    """(n,) NESTED index of that order."""
    llh: NDArray[np.float64]
    """(n,) negative log-likelihood; NaN where nothing is known."""

    @functools.cached_property
    def uniq(self) -> NDArray[np.int64]:
        """(n,) one number for order and index: 4^(order + 1) + index (IVOA's NUNIQ)."""
        return (np.int64(4) << (2 * self.order)) + self.index

    @functools.cached_property
    def area(self) -> NDArray[np.float64]:
        """(n,) steradians."""
        return np.ldexp(np.pi / 3, -2 * self.order)

    @functools.cached_property
    def centres(self) -> NDArray[np.float64]:
        """(n, 3) unit vectors."""
        return healpixels.centres(self.order, self.index)

    @functools.cached_property
    def known(self) -> NDArray[np.bool_]:
        """(n,) whether there is a likelihood."""
        return ~np.isnan(self.llh)

    @functools.cached_property
    def two_delta(self) -> NDArray[np.float64]:
        """(n,) 2 (llh - lowest llh of the cells); NaN where nothing is known."""
        return 2 * (self.llh - self.llh[self.known].min()) if self.known.any() else self.llh

    @functools.cached_property
    def _by_place(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First pixel of the finest order inside each cell, sorted, and the cells in that sequence."""
        first = self.index << (2 * (healpixels.FINEST_ORDER - self.order))
        sequence = np.argsort(first)
        return first[sequence], sequence

    def at(self, vectors: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the positions in these arrays of the cells that hold the directions; (..., 3) to (...)."""
        return self.holding(healpixels.FINEST_ORDER, healpixels.locate(vectors))

    def holding(self, order: int, nested: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the positions in these arrays of the cells that hold pixels of an order not coarser than theirs."""
        first, sequence = self._by_place
        return sequence[np.searchsorted(first, nested << (2 * (healpixels.FINEST_ORDER - order)), side="right") - 1]


def cells_of(levels: Mapping[int, NDArray[np.void]]) -> Cells:
    """Put the levels of a scan together.

    A coarse pixel with finer ones inside gives way to them; where no finer one has a value, the coarse value stays. A NaN
    counts as not scanned. Sky that was never scanned is covered by the largest cells that fit, without value. The order of
    rows and levels does not matter, and the work is proportional to the number of rows.

    Parameters
    ----------
    levels
        Rows of dtype `skymap_scanner.result.ROW` by nside.
    """
    return cover({healpixels.order_of(nside): _values(nside, rows) for nside, rows in levels.items()})


def cover(values: Mapping[int, tuple[NDArray[np.int64], NDArray[np.float64]]]) -> Cells:
    """Cover the sky with pixels that may lie inside each other; see `cells_of`.

    Parameters
    ----------
    values
        By order: NESTED indices, sorted and each once, and finite likelihoods.
    """
    scanned = {order: pair for order, pair in values.items() if len(pair[0])}
    giving_way = _ancestors({order: nested for order, (nested, _) in scanned.items()})
    index, llh = np.arange(12, dtype=np.int64), np.full(12, np.nan)
    kept: list[tuple[int, NDArray[np.int64], NDArray[np.float64]]] = []
    for order in range(len(giving_way) + 1):
        if order in scanned:
            nested, own = scanned[order]
            llh[np.searchsorted(index, nested)] = own
        parents = np.isin(index, giving_way[order]) if order < len(giving_way) else np.zeros(len(index), dtype=bool)
        kept.append((order, index[~parents], llh[~parents]))
        index = (4 * index[parents, None] + np.arange(4)).ravel()
        llh = np.repeat(llh[parents], 4)
    return Cells(
        order=np.concatenate([np.full(len(index), order, dtype=np.int64) for order, index, _ in kept]),
        index=np.concatenate([index for _, index, _ in kept]),
        llh=np.concatenate([llh for _, _, llh in kept]),
    )


def _values(nside: int, rows: NDArray[np.void]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return NESTED indices, sorted, and likelihoods of the pixels that have one."""
    rows = rows[np.isfinite(rows["llh"])]
    nested = healpixels.ring_to_nested(nside, rows["index"].astype(np.int64))
    sequence = np.argsort(nested)
    return nested[sequence], rows["llh"][sequence]


def _ancestors(scanned: Mapping[int, NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Return, for every order, the pixels that have scanned pixels of a finer order inside."""
    nothing = np.empty(0, dtype=np.int64)
    ancestors: list[NDArray[np.int64]] = []
    below = nothing
    for order in range(max(scanned, default=0), 0, -1):
        below = np.unique(np.concatenate([below, scanned.get(order, nothing)]) >> 2)
        ancestors.append(below)
    return ancestors[::-1]

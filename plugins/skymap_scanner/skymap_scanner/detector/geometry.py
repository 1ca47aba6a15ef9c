"""Where the modules are."""

from __future__ import annotations

import dataclasses
import functools
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skymap_scanner.detector.table import read_table
from skymap_scanner.pulses import MODULES_PER_STRING, STRINGS

FIRST_DEEPCORE_STRING: Final = 79
"""Strings from this one on are DeepCore's: denser, with more sensitive modules."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Modules:
    """The modules in the ice that work, sorted by string and om."""

    string: NDArray[np.int16]
    """(n,) 1 to 86."""
    om: NDArray[np.int16]
    """(n,) 1 to 60, counted from the top."""
    position: NDArray[np.float64]
    """(n, 3) metres; z up, the origin in the middle of the detector."""
    rde: NDArray[np.float64]
    """(n,) efficiency relative to the standard module."""
    _row: NDArray[np.int64]
    """(87, 61) row of the module at string and om; -1 where there is none."""

    def rows_of(self, string: ArrayLike, om: ArrayLike) -> NDArray[np.int64]:
        """Rows of modules in the arrays above, -1 for those that do not work or do not exist."""
        string, om = np.asarray(string, np.int64), np.asarray(om, np.int64)
        known = (string >= 1) & (string <= STRINGS) & (om >= 1) & (om <= MODULES_PER_STRING)
        return np.where(known, self._row[np.where(known, string, 0), np.where(known, om, 0)], -1)

    def positions_of(self, string: ArrayLike, om: ArrayLike) -> NDArray[np.float64]:
        """Positions (..., 3) in metres, NaN for modules that do not work or do not exist."""
        rows = self.rows_of(string, om)
        return np.where((rows >= 0)[..., None], self.position[rows], np.nan)


@functools.cache
def modules() -> Modules:
    """The 5,083 modules of IceCube that work; provenance and licence stand beside the data."""
    table = read_table("modules.csv")
    string, om = table[:, 0].astype(np.int16), table[:, 1].astype(np.int16)
    row = np.full((STRINGS + 1, MODULES_PER_STRING + 1), -1, np.int64)
    row[string, om] = np.arange(len(table))
    found = Modules(string=string, om=om, position=table[:, 2:5].copy(), rde=table[:, 5].copy(), _row=row)
    for array in (found.string, found.om, found.position, found.rde, found._row):
        array.flags.writeable = False  # one copy is shared by all
    return found

"""Tables of the delay density: cubic splines in two coordinates, made by `tabulate` and shipped with the package.

A table holds the coefficients of uniform cubic B-splines of log density and log survival, so that the likelihood and its
first two derivatives are continuous: what a Newton minimiser needs. The coordinates want no slow function and put the
nodes where the density bends: u = w / (w + `KNEE`) with w = delay - `EARLIEST`, and v = sqrt(xi).
"""

from __future__ import annotations

import functools
import math
from importlib import resources

import numpy as np
from numpy.typing import NDArray

EARLIEST = -150.0
"""ns; what comes earlier is ten times the blur before direct light: noise."""
LATEST = 9000.0
"""ns; later pulses count as if they came then."""
KNEE = 300.0
"""ns; half of the nodes lie in this many ns from the earliest."""
U_CELLS = 160
"""Cells between the nodes of u."""
SMALLEST, LARGEST = math.sqrt(0.02), 6.0
"""Of v: 1 m to 1,200 m in the ice between modules."""
V_CELLS = 64
"""Cells between the nodes of v."""

U_MAX = (LATEST - EARLIEST) / (LATEST - EARLIEST + KNEE) * (1.0 + 1e-12)
"""u of the latest delay, and a little more so that this is in the last cell; that of the earliest is 0."""
PER_U = U_CELLS / U_MAX
"""Cells per unit of u."""
PER_V = V_CELLS / (LARGEST - SMALLEST)
"""Cells per unit of v."""
V_END = V_CELLS - 1e-9
"""In cells of v; larger distances count as this one, which is in the last cell still."""
STRIDE = 2 * (V_CELLS + 3)
"""From one row of a flat table to the next."""

Table = NDArray[np.float64]


@functools.cache
def load(light: str) -> Table:
    """The coefficients for one kind of light.

    Parameters
    ----------
    light : `track` or `shower`.

    Returns
    -------
    (U_CELLS + 3, V_CELLS + 3, 2), the last axis being log density and log survival.
    """
    file = resources.files("skymap_scanner.physics") / "data" / f"{light}_light.npy"
    with resources.as_file(file) as path:
        table: Table = np.load(path)
    table.setflags(write=False)
    return table


@functools.cache
def nodes(light: str) -> Table:
    """The values at the nodes themselves, in an array like `load`'s: the first (U_CELLS + 1, V_CELLS + 1) are used."""
    values = load(light)
    for _ in range(2):
        values = np.pad((values[:-2] + 4.0 * values[1:-1] + values[2:]) / 6.0, ((0, 2), (0, 0), (0, 0))).swapaxes(0, 1)
    values = np.ascontiguousarray(values)
    values.setflags(write=False)
    return values

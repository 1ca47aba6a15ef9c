"""Copying small arrays in compiled code."""

from __future__ import annotations

from skymap_scanner.physics.compiled import part
from skymap_scanner.physics.model import Array


@part
def copy(source: Array, target: Array) -> None:
    """Element by element, (n,) to (n,): numba takes seconds to compile the assignment of slices."""
    for k in range(source.size):
        target[k] = source[k]

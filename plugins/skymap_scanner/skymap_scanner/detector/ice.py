"""How far light travels in the ice: scattering and absorption by height."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skymap_scanner.detector.table import read_table

SURFACE: Final = 1948.07
"""Metres from the origin of the detector's frame up to the surface of the ice."""


def scattering_length(height: ArrayLike) -> NDArray[np.float64]:
    """Effective scattering length in metres, of light of 400 nm.

    Parameters
    ----------
    height : (...) z in metres; above and below the measured layers the nearest one counts.
    """
    return _interpolate(height, 1)


def absorption_length(height: ArrayLike) -> NDArray[np.float64]:
    """Absorption length in metres, of light of 400 nm.

    Parameters
    ----------
    height : (...) z in metres; above and below the measured layers the nearest one counts.
    """
    return _interpolate(height, 2)


def _interpolate(height: ArrayLike, column: int) -> NDArray[np.float64]:
    table = _layers()
    return np.asarray(np.interp(np.asarray(height, np.float64), table[:, 0], table[:, column]))


@functools.cache
def _layers() -> NDArray[np.float64]:
    """Height, scattering length, absorption length of each layer, upwards."""
    table = read_table("ice_layers.csv")[::-1].copy()
    table[:, 0] = SURFACE - table[:, 0]
    table.flags.writeable = False
    return table

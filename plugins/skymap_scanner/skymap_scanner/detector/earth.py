"""How the Earth turns: its clock against that of atoms."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skymap_scanner.detector.table import read_table

_TAI_MINUS_UTC: Final = 34.0  # s, at the start of 2011
_LEAP_SECONDS: Final = (56109.0, 57204.0, 57754.0)  # MJD from which a second more counts: 2012-07, 2015-07, 2017-01
_TT_MINUS_TAI: Final = 32.184  # s


def tt_minus_utc(mjd: ArrayLike) -> NDArray[np.float64]:
    """Seconds by which terrestrial time, that of ephemerides, is ahead of UTC."""
    return _tai_minus_utc(mjd) + _TT_MINUS_TAI


def ut1_minus_utc(mjd: ArrayLike) -> NDArray[np.float64]:
    """Seconds by which the turning Earth is ahead of UTC: up to 0.7, or 10 arcseconds.

    Interpolated in a table of 60 days' steps to 0.02 s; before and after it the nearest entry counts.
    """
    table = _rotation()
    return np.interp(np.asarray(mjd, np.float64), table[:, 0], table[:, 1]) + _tai_minus_utc(mjd)


def _tai_minus_utc(mjd: ArrayLike) -> NDArray[np.float64]:
    return _TAI_MINUS_UTC + np.searchsorted(_LEAP_SECONDS, np.asarray(mjd), side="right").astype(np.float64)


@functools.cache
def _rotation() -> NDArray[np.float64]:
    """MJD and UT1 minus TAI in seconds, which, unlike that minus UTC, has no steps."""
    return read_table("earth_rotation.csv")

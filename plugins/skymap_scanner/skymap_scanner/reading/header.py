"""The event's header and its times (`I3EventHeader.cxx`, `I3Time.cxx` of icecube/icetray-public)."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Final

from skymap_scanner.errors import EventError
from skymap_scanner.reading.archive import Archive

NEWEST = 3
"""Version of the class that is known."""

TICKS_PER_DAY: Final = 864_000_000_000_000
"""Tenths of a nanosecond, the detector's unit of time."""
_TICKS_PER_SECOND: Final = 10_000_000_000
_MJD_ZERO: Final = datetime.date(1858, 11, 17).toordinal()
_LEAP_DAYS: Final = (datetime.date(2012, 6, 30), datetime.date(2015, 6, 30))
"""Days that ended on a leap second within a year of data; ticks count leap seconds, days do not."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """Which event it is, and when."""

    run_id: int
    """Number of the run."""
    event_id: int
    """Number of the event in its run."""
    mjd: float
    """Start of the read-out, modified Julian date (UTC)."""


def read(archive: Archive, version: int) -> Header:
    """Read an `I3EventHeader`."""
    archive.base()
    run_id = archive.u32()
    if version > 0:
        archive.u32()  # sub-run
    event_id = archive.u32()
    if version > 1:
        archive.i32()  # state
    if version > 2:
        archive.u32()  # sub-event
        archive.string()  # its stream
    start = _read_time(archive)
    _read_time(archive)
    return Header(run_id=run_id, event_id=event_id, mjd=mjd_of(*start))


def _read_time(archive: Archive) -> tuple[int, int]:
    archive.begin("I3Time")
    archive.base()
    return archive.i32(), archive.i64()


def mjd_of(year: int, ticks: int) -> float:
    """Modified Julian date (UTC) of a time of the detector.

    Parameters
    ----------
    year : UTC.
    ticks : tenths of ns since that year began, leap seconds included.

    Raises
    ------
    EventError
        If it is no time in IceCube's life.
    """
    if not (2000 <= year < 2100 and 0 <= ticks < 367 * TICKS_PER_DAY):
        message = f"the header's time is impossible (year {year}, {ticks} ticks)"
        raise EventError(message)
    first = datetime.date(year, 1, 1)
    for day in _LEAP_DAYS:
        if day.year == year and ticks >= ((day - first).days + 1) * TICKS_PER_DAY + _TICKS_PER_SECOND:
            ticks -= _TICKS_PER_SECOND
    return first.toordinal() - _MJD_ZERO + ticks / TICKS_PER_DAY

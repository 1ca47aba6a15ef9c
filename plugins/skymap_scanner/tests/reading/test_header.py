"""Times of the detector."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from skymap_scanner.errors import EventError
from skymap_scanner.reading.header import Header, mjd_of
from skymap_scanner.reading.objects import decode

SECOND = 10**10
DAY = 86_400 * SECOND


@pytest.mark.parametrize(
    ("year", "ticks", "mjd"),
    [
        (2011, 0, 55562.0),
        (2023, 290057040932302199, 60280.71416774572),
        (2012, 182 * DAY - 1, 56108.99999999999),  # the last instant of June
        (2012, 182 * DAY + SECOND, 56109.0),  # a leap second later
        (2015, 181 * DAY + SECOND, 57204.0),
        (2016, 366 * DAY, 57754.0),
        (2013, 200 * DAY, 56293.0 + 200),
    ],
)
def test_days_do_not_count_leap_seconds_but_ticks_do(year: int, ticks: int, mjd: float) -> None:
    assert mjd_of(year, ticks) == pytest.approx(mjd, abs=2e-11)


@pytest.mark.parametrize(("year", "ticks"), [(1999, 0), (2100, 0), (-1, 0), (2020, -1), (2020, 400 * DAY)])
def test_impossible_times(year: int, ticks: int) -> None:
    with pytest.raises(EventError, match="the header's time is impossible"):
        mjd_of(year, ticks)


@pytest.mark.parametrize("version", range(4))
def test_versions(version: int, body_of: Callable[..., bytes]) -> None:
    times = struct.pack("<BBIIiq", 1, 0, 2, 3, 2020, 5) + struct.pack("<IIiq", 4, 5, 2020, 6)
    fields = struct.pack("<I", 120_000) + (struct.pack("<I", 1) if version > 0 else b"") + struct.pack("<I", 77)
    fields += struct.pack("<i", 20) if version > 1 else b""
    fields += struct.pack("<II", 0, 2) + b"ab" if version > 2 else b""
    assert decode(body_of("I3EventHeader", version, fields + times)) == Header(
        run_id=120_000, event_id=77, mjd=mjd_of(2020, 5)
    )


def test_newer_versions_are_refused(body_of: Callable[..., bytes]) -> None:
    with pytest.raises(EventError, match=r"^I3EventHeader version 4 is not supported \(3 is\)"):
        decode(body_of("I3EventHeader", 4, bytes(100)))

"""The archive's headers and bounds."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from skymap_scanner.errors import EventError
from skymap_scanner.reading.archive import Archive


def test_untracked_classes_have_one_header() -> None:
    archive = Archive(b"\0\5xy")
    assert archive.begin("Class") == 5
    assert archive.take(1) == b"x"
    assert archive.begin("Class") == 5
    assert archive.take(1) == b"y"
    archive.finish()


def test_tracked_classes_have_an_id_each() -> None:
    archive = Archive(b"\1\5" + struct.pack("<IBIB", 70, 1, 71, 2))
    assert archive.begin("Class") == 5
    assert archive.u8() == 1
    assert archive.begin("Class") == 5
    assert archive.u8() == 2
    archive.finish()


def test_classes_have_headers_of_their_own() -> None:
    archive = Archive(b"\0\1\0\2")
    assert (archive.begin("A"), archive.begin("B"), archive.begin("A")) == (1, 2, 1)


def test_numbers_and_text() -> None:
    archive = Archive(struct.pack("<BHhIiqd", 200, 60000, -5, 4_000_000_000, -7, -(2**40), 2.5) + b"\3\0\0\0ab\xff")
    assert (archive.u8(), archive.u16(), archive.i16(), archive.u32(), archive.i32()) == (200, 60000, -5, 4_000_000_000, -7)
    assert (archive.i64(), archive.f64()) == (-(2**40), 2.5)
    assert archive.string() == "ab\N{REPLACEMENT CHARACTER}"


def test_arrays() -> None:
    archive = Archive(struct.pack("<BHHH", 9, 1, 2, 3))
    archive.u8()
    assert archive.array("<u2", 3).tolist() == [1, 2, 3]
    assert archive.array("<u2", 0).dtype == np.dtype("<u2")


def test_tracking_is_yes_or_no() -> None:
    archive = Archive(b"x\2\0")
    archive.u8()
    with pytest.raises(EventError, match="class Class has tracking byte 2 at byte 1, not 0 or 1"):
        archive.begin("Class")


@pytest.mark.parametrize("count", [5, 2**31, 2**63])
def test_beyond_the_end(count: int) -> None:
    with pytest.raises(EventError, match=f"cut short: {count} bytes are wanted at byte 0 of 4"):
        Archive(b"abcd").take(count)


def test_counts_are_bounded() -> None:
    assert Archive(struct.pack("<I", 10)).count("things", 10) == 10
    with pytest.raises(EventError, match="11 things are claimed; at most 10 are read"):
        Archive(struct.pack("<I", 11)).count("things", 10)

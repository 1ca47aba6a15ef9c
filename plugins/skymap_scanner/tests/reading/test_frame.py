"""Frames: what is in them, and that damage is noticed."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymap_scanner.errors import EventError
from skymap_scanner.reading.frame import parse

OBJECTS = {"first": b"\x01\x02", "second": b"", "third": bytes(range(256))}


@pytest.mark.parametrize("version", [5, 6])
def test_objects_by_name(version: int, frame_of: Callable[..., bytes]) -> None:
    frame = parse(frame_of("Q", OBJECTS, version))
    assert frame.stream == "Q"
    assert frame.objects == OBJECTS


@pytest.mark.parametrize("version", [5, 6])
@given(place=st.integers(10), bit=st.integers(0, 7))
@settings(max_examples=50)
def test_every_flipped_bit_is_noticed(version: int, place: int, bit: int, frame_of: Callable[..., bytes]) -> None:
    data = bytearray(frame_of("Q", OBJECTS, version))
    data[10 + place % (len(data) - 10)] ^= 1 << bit
    with pytest.raises(EventError):
        parse(bytes(data))


@pytest.mark.parametrize("version", [4, 7, 2**32 - 1])
def test_other_versions_are_refused(version: int, frame_of: Callable[..., bytes]) -> None:
    data = b"[i3]" + struct.pack("<I", version) + frame_of("Q", OBJECTS)[8:]
    with pytest.raises(EventError, match=rf"^frame version {version} is not supported \(5 and 6 are\)"):
        parse(data)


def test_damage_is_told_from_other_errors(frame_of: Callable[..., bytes]) -> None:
    data = bytearray(frame_of("Q", OBJECTS))
    data[-20] ^= 1
    with pytest.raises(EventError, match="frame Q is damaged: its checksum does not match; fetch the event again"):
        parse(bytes(data))


def test_what_follows_a_frame_is_refused(frame_of: Callable[..., bytes]) -> None:
    with pytest.raises(EventError, match="3 bytes are left over"):
        parse(frame_of("Q", OBJECTS) + b"xyz")


@pytest.mark.parametrize("length", [0, 3, 4, 8, 10, 14, 40, -1])
def test_cut_short(length: int, frame_of: Callable[..., bytes]) -> None:
    with pytest.raises(EventError):
        parse(frame_of("Q", OBJECTS)[:length])


def test_impossible_counts_cost_nothing() -> None:
    data = b"[i3]" + struct.pack("<I", 6) + b"\0\0Q" + struct.pack("<I", 2**32 - 1)
    with pytest.raises(EventError, match="4294967295 objects are claimed; at most 2000 are read"):
        parse(data)


def test_no_frame() -> None:
    with pytest.raises(EventError, match=r"does not start with \[i3\]"):
        parse(b"GIF89a, and more")

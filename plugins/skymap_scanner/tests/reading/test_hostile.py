"""Hostile bytes: whatever they are, the reader gives an event or one `EventError` of one line, and soon."""

from __future__ import annotations

import base64
import json
import pickle
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymap_scanner.errors import EventError
from skymap_scanner.reading import load_alert_bytes, native, pickled
from skymap_scanner.reading.objects import decode

CLASSES = (
    "I3EventHeader",
    "I3LogLikelihoodFitParams",
    "I3Particle",
    "I3RecoPulseSeriesMap",
    "I3RecoPulseSeriesMapMask",
    "I3RecoPulseSeriesMapUnion",
    "I3String",
    "I3SuperDST",
)
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["flip", "cut", "insert", "ones", "zeros"]), st.binary(max_size=8)),
    min_size=1,
    max_size=4,
)
"""Where, what, and with which bytes."""


def edited(data: bytes, edits: list[tuple[float, str, bytes]]) -> bytes:
    changed = bytearray(data)
    for where, what, extra in edits:
        place = int(where * max(len(changed) - 1, 0))
        if what == "flip" and changed:
            changed[place] ^= 1 << len(extra) % 8
        elif what == "cut":
            del changed[place:]
        elif what == "insert":
            changed[place:place] = extra
        elif what in ("ones", "zeros"):
            changed[place : place + 4] = (b"\xff" if what == "ones" else b"\0") * min(4, len(changed) - place)
    return bytes(changed)


def refusal(read: Callable[[bytes], object], data: bytes) -> str:
    """What the reader says against the bytes, nothing if it reads them; other exceptions fail the test."""
    try:
        read(data)
    except EventError as error:
        return str(error)
    return ""


def read(data: bytes) -> None:
    """Read, and write what was read, as scans and `convert` do."""
    native.loads(native.dumps(load_alert_bytes(data, "hostile")))


def read_or_refuse(data: bytes) -> None:
    words = refusal(read, data)
    assert words == "" or words.startswith("hostile: ")
    assert "\n" not in words


@given(data=st.binary(max_size=300))
@settings(max_examples=100)
def test_any_bytes(data: bytes) -> None:
    read_or_refuse(data)
    read_or_refuse(b"\x80\x03" + data)


@given(
    value=st.recursive(
        st.none() | st.integers() | st.text() | st.floats(),
        lambda x: (
            st.lists(x) | st.dictionaries(st.sampled_from(["value", "data", "frames", "reco", "version", "format"]), x)
        ),
    )
)
@settings(max_examples=100)
def test_any_json(value: Any) -> None:
    read_or_refuse(json.dumps(value).encode())
    read_or_refuse(json.dumps({"value": value}).encode())
    read_or_refuse(json.dumps({"value": {"data": value}}).encode())


RECOS = st.dictionaries(
    st.text(st.characters(), max_size=300),
    st.dictionaries(
        st.sampled_from(["zen", "azi", "llh", "ndof"]), st.integers() | st.floats() | st.booleans() | st.just(1)
    ),
)


@given(reco=RECOS)
@settings(max_examples=100)
def test_any_published_fits(
    reco: dict[str, Any], small_objects: dict[str, bytes], frame_of: Callable[..., bytes], message_of: Callable[..., bytes]
) -> None:
    data = message_of({"P": frame_of("P", small_objects)}, reco=reco)
    assert refusal(read, data) == ""


@pytest.mark.parametrize("number", [10**400, -(10**400), 2**64, True, 1e308])
def test_numbers_that_no_format_can_hold(
    number: float, small_objects: dict[str, bytes], frame_of: Callable[..., bytes], message_of: Callable[..., bytes]
) -> None:
    reco = {"\ud800": {"zen": 1, "azi": 1, "llh": number, "ndof": number}, "b": {"zen": number, "azi": number}}
    assert refusal(read, message_of({"P": frame_of("P", small_objects)}, reco=reco)) == ""


@given(edits=EDITS)
@settings(max_examples=100)
def test_edited_alerts(edits: list[tuple[float, str, bytes]], small_alert: bytes) -> None:
    read_or_refuse(edited(small_alert, edits))


@given(edits=EDITS, name=st.sampled_from(["I3EventHeader", "SplitInIcePulses", "Fit", "FitFitParams"]))
@settings(max_examples=200)
def test_edited_objects_behind_right_checksums(
    edits: list[tuple[float, str, bytes]],
    name: str,
    small_objects: dict[str, bytes],
    frame_of: Callable[..., bytes],
    message_of: Callable[..., bytes],
) -> None:
    objects = {**small_objects, name: edited(small_objects[name], edits)}
    read_or_refuse(message_of({"P": frame_of("P", objects, 5)}))


@given(edits=EDITS)
@settings(max_examples=100)
def test_edited_events_of_our_own(edits: list[tuple[float, str, bytes]], small_alert: bytes) -> None:
    read_or_refuse(edited(native.dumps(load_alert_bytes(small_alert, "event")), edits))


@given(name=st.sampled_from(CLASSES), version=st.integers(0, 6), fields=st.binary(max_size=200))
@settings(max_examples=300)
def test_any_fields_of_any_class(name: str, version: int, fields: bytes, body_of: Callable[..., bytes]) -> None:
    assert "\n" not in refusal(decode, body_of(name, version, fields))


@given(data=st.binary(max_size=100))
@settings(max_examples=200)
def test_any_opcodes(data: bytes) -> None:
    assert "\n" not in refusal(pickled.plain_data, data + b".")
    assert "\n" not in refusal(pickled.frame_bytes, data + b".")


HUGE = struct.pack("<I", 2**32 - 1)
FULL = b"\xff" * 8


@pytest.mark.parametrize(
    ("name", "version", "fields"),
    [
        ("I3RecoPulseSeriesMap", 0, b"\0\0" + HUGE),
        ("I3RecoPulseSeriesMap", 0, struct.pack("<BBIBBBBiIBBB", 0, 0, 1, 0, 0, 0, 2, 1, 1, 0, 0, 0) + HUGE + b"\0\3"),
        ("I3RecoPulseSeriesMapMask", 2, struct.pack("<I", 0) + b"\0\0" + struct.pack("<HB", 0, 0) + b"\0\0" + HUGE),
        ("I3RecoPulseSeriesMapMask", 2, struct.pack("<I", 0) + b"\0\0" + struct.pack("<HB", 0xFFFF, 0)),
        ("I3RecoPulseSeriesMapUnion", 0, b"\0\0" + HUGE),
        ("I3SuperDST", 1, b"\0\0\0\0\xf7" + FULL),
        ("I3String", 0, HUGE),
    ],
)
def test_huge_counts_cost_nothing(name: str, version: int, fields: bytes, body_of: Callable[..., bytes]) -> None:
    with pytest.raises(EventError, match=r"claim|cut short"):
        decode(body_of(name, version, fields))


def test_lengths_of_a_million_digits(body_of: Callable[..., bytes]) -> None:
    """Run lengths whose digits never end; as one number, each digit would cost more than the one before."""
    million = b"\xfb" + struct.pack("<I", 999_999)
    empty = b"\0\0\0\0\0" + b"\0\0\0"
    for code in (b"\x10", b"\xf1", b"\x01"):
        with pytest.raises(EventError, match=r"more widths than pulses|cut short"):
            decode(body_of("I3SuperDST", 1, empty + b"\0\0" + million + code * 999_999))


def test_keys_that_are_huge_numbers(
    small_objects: dict[str, bytes], frame_of: Callable[..., bytes], message_of: Callable[..., bytes]
) -> None:
    message = json.loads(message_of({"P": frame_of("P", small_objects)}))
    message["value"]["data"]["reco"] = {10**5000: {"zen": 1.0, "azi": 1.0}}
    assert refusal(read, pickle.dumps(message)) == ""


def test_bombs_in_bombs() -> None:
    """Compressed twice, a kilobyte would be a gigabyte; only the outer shell is ever opened."""
    inner = zlib.compress(bytes(16 << 20), 9)
    text = base64.b64encode(zlib.compress(inner, 9)).decode()
    with pytest.raises(EventError):
        load_alert_bytes(json.dumps({"value": {"data": [["P", text]]}}).encode(), "bomb")


@pytest.mark.parametrize(
    "opening", [b"[", b'{"value":', b'{"value":{"data":[', b'{"format":"skymap-scanner-event","pulses":[']
)
def test_deep_nesting_is_refused(opening: bytes) -> None:
    with pytest.raises(EventError, match="neither JSON nor a pickle"):
        load_alert_bytes(opening * 200_000, "deep")


def test_too_large_a_file() -> None:
    with pytest.raises(EventError, match="huge: it is larger than 64 MB, which no event is"):
        load_alert_bytes(bytes((64 << 20) + 1), "huge")

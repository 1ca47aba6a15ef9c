"""Alerts made by hand, byte by byte from the description of the formats, for tests of the reader."""

from __future__ import annotations

import base64
import binascii
import json
import pickle
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

EVENTS = Path(__file__).parents[4] / ".." / "shared" / "events"

Objects = Mapping[str, bytes]


@pytest.fixture(scope="session")
def events() -> Path:
    """The folder of real alerts."""
    if not EVENTS.is_dir():
        pytest.skip("the folder ../shared/events with real alerts is not here")
    return EVENTS


@pytest.fixture(scope="session")
def body_of() -> Callable[..., bytes]:
    """The body of a frame object: (class name, version, fields after the base class)."""
    return _body


@pytest.fixture(scope="session")
def frame_of() -> Callable[..., bytes]:
    """A serialised frame: (stream, objects, version=6)."""
    return _frame


@pytest.fixture(scope="session")
def message_of() -> Callable[..., bytes]:
    """An alert: (serialised frames by stream, reco=None, version="2023a", listed=False)."""
    return _message


@pytest.fixture(scope="session")
def small_objects() -> dict[str, bytes]:
    """Objects of a frame that is an event: header, three pulses of two modules, a fit."""
    return {
        "I3EventHeader": _body("I3EventHeader", 3, _header(run=138632, event=7, year=2023, ticks=123)),
        "SplitInIcePulses": _body(
            "I3RecoPulseSeriesMap", 0, _pulse_map({(2, 30): [(10.5, 1.0), (20.0, 2.5)], (5, 7): [(15.0, 0.5)]})
        ),
        "Fit": _body("I3Particle", 5, _particle(zenith=1.5, azimuth=0.25)),
        "FitFitParams": _body("I3LogLikelihoodFitParams", 0, struct.pack("<ddii", 12.5, 2.5, 5, 30)),
    }


@pytest.fixture(scope="session")
def small_alert(small_objects: dict[str, bytes]) -> bytes:
    """The alert of that event."""
    return _message({"Q": _frame("Q", {}), "P": _frame("P", small_objects)})


def _string(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode()


def _body(name: str, version: int, fields: bytes) -> bytes:
    """Headers of the pointer, the class (tracked, object 0) and its base (tracked, object 1), then the fields."""
    return b"\0\1" + struct.pack("<h", 0) + _string(name) + struct.pack("<BBIBBI", 1, version, 0, 1, 0, 1) + fields


def _header(run: int, event: int, year: int, ticks: int) -> bytes:
    """The base class has been met, so that only its object id stands before the fields of a time."""
    start = struct.pack("<BBIIiq", 1, 0, 2, 3, year, ticks)
    end = struct.pack("<IIiq", 4, 5, year, ticks + 10_000)
    return struct.pack("<IIIiI", run, 0, event, 20, 0) + _string("InIceSplit") + start + end


def _particle(zenith: float, azimuth: float) -> bytes:
    position = struct.pack("<BBIIddd", 1, 0, 2, 3, 1.0, 2.0, 3.0)
    direction = struct.pack("<BBIIdd", 1, 0, 4, 5, zenith, azimuth)
    after = struct.pack("<ddddi", 900.0, 1e4, 0.0, 0.3, 0)
    return struct.pack("<iQiii", 1, 2, 0, 40, 0) + position + direction + after


def _pulse_map(pulses: Mapping[tuple[int, int], list[tuple[float, float]]]) -> bytes:
    """Maps, pairs, keys and vectors are untracked here; pulses are tracked, each behind an id."""
    out = struct.pack("<BBI", 0, 0, len(pulses))
    for number, ((string, om), series) in enumerate(pulses.items()):
        first = number == 0
        out += (b"\0\0" if first else b"") + (b"\0\2" if first else b"") + struct.pack("<iIB", string, om, 0)
        out += (b"\0\0" if first else b"") + struct.pack("<I", len(series)) + (b"\1\3" if first else b"")
        out += b"".join(struct.pack("<IdffB", 9, time, charge, 8.0, 7) for time, charge in series)
    return out


def _frame(stream: str, objects: Objects, version: int = 6) -> bytes:
    content = stream.encode("latin-1") + struct.pack("<I", len(objects))
    for name, body in objects.items():
        content += _string(name) + _string("its type") + struct.pack("<I", len(body)) + body
    checksum = binascii.crc_hqx(content, 0xFFFF) if version == 5 else _crc32c(content)
    return b"[i3]" + struct.pack("<I", version) + b"\0\0" + content + struct.pack("<I", checksum)


def _crc32c(data: bytes) -> int:
    """The checksum bit by bit, as its definition says: register from 0, not inverted."""
    register = 0
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register


def _message(frames: Mapping[str, bytes], reco: object = None, version: str = "2023a", *, listed: bool = False) -> bytes:
    packed = [
        [stream[:1], base64.b64encode(zlib.compress(pickle.dumps(frame, protocol=3))).decode()]
        for stream, frame in frames.items()
    ]
    data = packed if listed else {"frames": packed, "reco": reco}
    return json.dumps({"value": {"version": version, "data": data, "streams": ["neutrino"]}}).encode()

"""Particles of every version."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from skymap_scanner.errors import EventError
from skymap_scanner.reading.objects import class_name, decode
from skymap_scanner.reading.particle import FitParams, Particle


@pytest.mark.parametrize("version", [1, 2, 3, 4, 5])
def test_versions(version: int, body_of: Callable[..., bytes]) -> None:
    ids = struct.pack("<i", 5) + (struct.pack("<Q", 6) if version > 1 else b"")
    position = struct.pack("<BBIIddd", 1, 0, 2, 3, 1.0, 2.0, 3.0)
    direction = struct.pack("<BBIIdd", 1, 0, 4, 5, 0.5, 0.25)
    after = struct.pack("<ddddi", 900.0, 1e4, 10.0, 0.3, 0) + (bytes(16) if version == 4 else b"")
    body = body_of("I3Particle", version, ids + struct.pack("<iii", 13, 40, 7) + position + direction + after)
    assert class_name(body) == "I3Particle"
    assert decode(body) == Particle(fit_status=7, position=(1.0, 2.0, 3.0), zenith=0.5, azimuth=0.25, time=900.0, energy=1e4)


def test_version_0(body_of: Callable[..., bytes]) -> None:
    with pytest.raises(EventError, match=r"^I3Particle version 0 is not supported \(1 to 5 are\)"):
        decode(body_of("I3Particle", 0, bytes(200)))


def test_fit_params(body_of: Callable[..., bytes]) -> None:
    body = body_of("I3LogLikelihoodFitParams", 0, struct.pack("<ddii", 12.5, 2.5, 5, 30))
    assert decode(body) == FitParams(llh=12.5, ndof=5)


def test_objects_of_no_use_are_skipped(body_of: Callable[..., bytes]) -> None:
    assert decode(body_of("I3DAQData", 0, b"whatever")) is None
    assert decode(b"\0\1\xff\xff") is None
    assert class_name(b"\0\1\xff\xff") == ""

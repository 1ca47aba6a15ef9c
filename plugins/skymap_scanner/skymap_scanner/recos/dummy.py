"""`dummy`: no physics at all. Every answer is a hash of what was asked, so that scans can be tested fast and exactly."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Sequence
from typing import ClassVar

from skymap_scanner.event import Alert
from skymap_scanner.recos.base import Answer, Pixel, Reco, Vertex

_NAN_RATE = 0.1


def chance(*what: object) -> float:
    """Return a number in [0, 1) that depends on the arguments alone, and evenly on each."""
    digest = hashlib.sha256(repr(what).encode()).digest()
    return float(struct.unpack("<Q", digest[:8])[0] / 2**64)


class Dummy(Reco):
    """Random but repeatable; one answer in ten is NaN."""

    name: ClassVar[str] = "dummy"
    gives_direction: ClassVar[bool] = True

    def __init__(self, alert: Alert) -> None:
        del alert

    def fallback(self) -> Vertex:
        """The centre of the detector."""
        return Vertex(x=0.0, y=0.0, z=0.0, time=0.0)

    def reconstruct(self, pixels: Sequence[Pixel]) -> list[Answer]:
        """Hash each pixel."""
        return [_answer(pixel) for pixel in pixels]


def _answer(pixel: Pixel) -> Answer:
    asked = (pixel.nside, pixel.index, pixel.variation, pixel.seeds)
    x, y, z, time, llh = (chance(name, *asked) for name in ("x", "y", "z", "time", "llh"))
    return Answer(
        llh=math.nan if chance("nan", *asked) < _NAN_RATE else 1000.0 * llh,
        vertex=Vertex(x=500.0 * (2 * x - 1), y=500.0 * (2 * y - 1), z=500.0 * (2 * z - 1), time=10_000.0 * time),
        e_in=1000.0 * x,
        e_tot=1000.0 * (x + y),
    )

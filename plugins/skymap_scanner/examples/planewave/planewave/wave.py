"""`planewave`: least squares of the times at which a plane wave, as fast as light in vacuum, passes the hit modules."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from skymap_scanner.event import Alert
from skymap_scanner.hits import hits_of
from skymap_scanner.recos.base import Answer, Pixel, Reco, Vertex

SPEED = 0.299792458
"""m/ns."""
SPREAD = 300.0
"""ns; how far hits are from a plane, being near to the track or not: typical of IceCube's tracks."""


class PlaneWave(Reco):
    """The time of the wave is free, its direction is the pixel's."""

    name = "planewave"

    def __init__(self, alert: Alert) -> None:
        hits = hits_of(alert)
        self._position, self._time = hits.position, hits.time

    def fallback(self) -> Vertex:
        """The origin: a plane wave has no vertex of its own."""
        return Vertex(x=0.0, y=0.0, z=0.0, time=float(self._time.mean()))

    def reconstruct(self, pixels: Sequence[Pixel]) -> list[Answer]:
        """Answer each pixel by itself, so that the answers do not depend on which come together."""
        return [self._answer(pixel) for pixel in pixels]

    def _answer(self, pixel: Pixel) -> Answer:
        sine = math.sin(pixel.zenith)
        flight = -np.array([sine * math.cos(pixel.azimuth), sine * math.sin(pixel.azimuth), math.cos(pixel.zenith)])
        passes_origin = self._time - self._position @ flight / SPEED
        time = float(passes_origin.mean())
        llh = float(((passes_origin - time) ** 2).sum()) / (2 * SPREAD**2)
        return Answer(llh=llh, vertex=Vertex(x=0.0, y=0.0, z=0.0, time=time))

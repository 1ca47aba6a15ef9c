"""Reconstructions for tests of pages: a bowl on the sky that waits at gates, and one that nobody can use."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from skymap_scanner.event import Alert
from skymap_scanner.recos.base import Answer, Pixel, Reco, Vertex

GATES = Path(__file__).with_name("gates")
"""An empty file `EVENT-NSIDE` in it lets the pixels of that level through."""
_ZENITH, _AZIMUTH = 1.4, 3.6
_WIDTH = 0.09


class Gated(Reco):
    """Minus the logarithm of a Gaussian round one direction; each level waits for its gate."""

    name: ClassVar[str] = "gated"

    def __init__(self, alert: Alert) -> None:
        self._event = alert.header.event_id

    def fallback(self) -> Vertex:
        """The centre of the detector."""
        return Vertex(x=0.0, y=0.0, z=0.0, time=0.0)

    def reconstruct(self, pixels: Sequence[Pixel]) -> list[Answer]:
        """The height of the bowl at each pixel."""
        return [self._answer(pixel) for pixel in pixels]

    def _answer(self, pixel: Pixel) -> Answer:
        while not (GATES / f"{self._event}-{pixel.nside}").exists():
            time.sleep(0.02)
        cosine = math.cos(pixel.zenith) * math.cos(_ZENITH)
        cosine += math.sin(pixel.zenith) * math.sin(_ZENITH) * math.cos(pixel.azimuth - _AZIMUTH)
        angle = math.acos(max(-1.0, min(1.0, cosine)))
        vertex = Vertex(x=10.0 * pixel.nside, y=20.0, z=-30.0, time=9000.0)
        return Answer(llh=1000.0 + (angle / _WIDTH) ** 2 / 2, vertex=vertex, e_in=1e3, e_tot=2e3)


class Broken(Gated):
    """Cannot even be made ready."""

    name: ClassVar[str] = "broken"

    def __init__(self, alert: Alert) -> None:
        super().__init__(alert)
        raise ValueError("there is no ice model for this season")

"""`cascade`: the vertex of a shower, and whether an event looks like one. It tells no direction."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

from skymap_scanner.event import Alert
from skymap_scanner.hits import Hits
from skymap_scanner.physics import shower_fit
from skymap_scanner.physics.direction import free_minimum
from skymap_scanner.physics.likelihood import shower_model, track_model
from skymap_scanner.recos.base import Answer, Pixel, Reco, Vertex
from skymap_scanner.recos.spe import SETTINGS, pulses_of_spefit


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Classification:
    """What an event looks like."""

    kind: Literal["track", "cascade"]
    """The more likely of the two."""
    log_ratio: float
    """-log L of the best shower less that of the best track: negative for a shower."""
    vertex: Vertex
    """Of the best shower."""


class Cascade(Reco):
    """A point-like shower: all directions are alike."""

    name = "cascade"
    gives_direction = False

    def __init__(self, alert: Alert) -> None:
        self._answer = _fit(pulses_of_spefit(alert))

    def fallback(self) -> Vertex:
        """The vertex itself."""
        return self._answer.vertex

    def reconstruct(self, pixels: Sequence[Pixel]) -> list[Answer]:
        """The same for every pixel."""
        return [self._answer] * len(pixels)


def classify(alert: Alert) -> Classification:
    """Compare the best shower with the best track, both by the first photon in each module.

    Raises
    ------
    NoSignal
        If the event has no usable pulses.
    """
    hits = pulses_of_spefit(alert)
    answer = _fit(hits)
    ratio = answer.llh - free_minimum(track_model(hits, SETTINGS)).llh
    return Classification(kind="cascade" if ratio < 0.0 else "track", log_ratio=ratio, vertex=answer.vertex)


def _fit(hits: Hits) -> Answer:
    model = shower_model(hits, SETTINGS)
    llh, *vertex = shower_fit.best_shower(model)
    return Answer(llh=llh, vertex=Vertex(*vertex))

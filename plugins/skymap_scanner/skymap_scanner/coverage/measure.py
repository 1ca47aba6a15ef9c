"""What runs on pilots: one simulated event, and how far the truth is from the minimum."""

from __future__ import annotations

import math

import msgspec
import numpy as np

import ewms
from skymap_scanner.errors import ScanError
from skymap_scanner.event import Alert
from skymap_scanner.physics.direction import free_minimum, llh_at
from skymap_scanner.recos.registry import reco_class
from skymap_scanner.recos.track import TrackReco
from skymap_scanner.simulation.sample import random_event

RECO_FILE = "reco.txt"
"""The context file that holds the reconstruction's name."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One event."""

    event: int
    """Its number."""
    two_delta: float
    """2 (-log L of the best track in the true direction - that of the best track of all)."""
    separation: float
    """Degrees between the best direction and the true one."""
    modules: int
    """Hit modules."""
    energy: float
    """GeV."""
    zenith: float
    """Degrees, the true one."""
    azimuth: float
    """Degrees, the true one; with these and its number as the seed, `skymap-scanner simulate` makes the event again."""


class Measure:
    """Built once per process."""

    def __init__(self) -> None:
        self._reco = track_reco(ewms.context(RECO_FILE).read_text())

    def consume(self, seed: int) -> Measured:
        """Simulate, and fit with the direction fixed to the true one and free."""
        return measured(self._reco, random_event(seed))


def track_reco(name: str) -> type[TrackReco]:
    """Return a reconstruction whose coverage can be measured; `ScanError` if it is none of infinite tracks."""
    found = reco_class(name)
    if not issubclass(found, TrackReco):
        raise ScanError(f"coverage cannot be measured for reco '{name}', which fits no infinite track; use mpe or spe")
    return found


def measured(reco: type[TrackReco], alert: Alert) -> Measured:
    """Compare the truth of a simulated event, which is one of `random_event`, with the best track."""
    truth = alert.truth
    if truth is None:
        raise ScanError(f"event {alert.header.event_id} has no truth; measure simulated events")
    model = reco.model_of(alert)
    there = np.array([[truth.x, truth.y, truth.z, truth.time]])
    at_truth = llh_at(model, truth.zenith, truth.azimuth, there)
    free = free_minimum(model, np.array([[truth.zenith, truth.azimuth]]))
    return Measured(
        event=alert.header.event_id,
        two_delta=2.0 * max(0.0, at_truth - free.llh),
        separation=math.degrees(_apart(free.zenith, free.azimuth, truth.zenith, truth.azimuth)),
        modules=len(model.time),
        energy=truth.energy,
        zenith=math.degrees(truth.zenith),
        azimuth=math.degrees(truth.azimuth),
    )


def _apart(zenith: float, azimuth: float, other_zenith: float, other_azimuth: float) -> float:
    """The angle between two directions (Vincenty's formula, exact for small ones)."""
    turn = other_azimuth - azimuth
    s, c, so, co = math.sin(zenith), math.cos(zenith), math.sin(other_zenith), math.cos(other_zenith)
    across = math.hypot(so * math.sin(turn), s * co - c * so * math.cos(turn))
    return math.atan2(across, c * co + s * so * math.cos(turn))

"""What runs on pilots: one simulated event, and how far the truth is from the minimum."""

from __future__ import annotations

import math

import msgspec
import numpy as np

import ewms
from skymap_scanner.physics.direction import free_minimum, llh_at
from skymap_scanner.recos.registry import reco_class
from skymap_scanner.recos.track import TrackReco
from skymap_scanner.simulation.sample import random_event

RECO_FILE = "reco.txt"
"""The context file that holds the reconstruction's name."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One event."""

    seed: int
    """It was drawn by this."""
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


class Measure:
    """Built once per process."""

    def __init__(self) -> None:
        self._reco = reco_class(ewms.context(RECO_FILE).read_text())

    def consume(self, seed: int) -> Measured:
        """Simulate, and fit with the direction fixed to the true one and free."""
        return measured(self._reco, seed)


def measured(reco: type, seed: int) -> Measured:
    """Measure the event drawn by a seed with a reconstruction of tracks."""
    alert = random_event(seed)
    truth = alert.truth
    fit = reco(alert)
    if truth is None or not isinstance(fit, TrackReco):
        raise TypeError(f"{reco.__name__} is no reconstruction of tracks, whose coverage could be measured")
    there = np.array([[truth.x, truth.y, truth.z, truth.time]])
    at_truth = llh_at(fit.model, truth.zenith, truth.azimuth, there)
    free = free_minimum(fit.model, np.array([[truth.zenith, truth.azimuth]]))
    return Measured(
        seed=seed,
        two_delta=2.0 * max(0.0, at_truth - free.llh),
        separation=math.degrees(_apart(free.zenith, free.azimuth, truth.zenith, truth.azimuth)),
        modules=len(fit.model.time),
        energy=truth.energy,
        zenith=math.degrees(truth.zenith),
    )


def _apart(zenith: float, azimuth: float, other_zenith: float, other_azimuth: float) -> float:
    """The angle between two directions (Vincenty's formula, exact for small ones)."""
    turn = other_azimuth - azimuth
    s, c, so, co = math.sin(zenith), math.cos(zenith), math.sin(other_zenith), math.cos(other_zenith)
    across = math.hypot(so * math.sin(turn), s * co - c * so * math.cos(turn))
    return math.atan2(across, c * co + s * so * math.cos(turn))

"""Events drawn at random, for studies."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from skymap_scanner.errors import NoSignal
from skymap_scanner.event import Alert
from skymap_scanner.hits import hits_of
from skymap_scanner.simulation.event import LAST_SEED, simulate

LOG_ENERGY: Final = (4.5, 6.5)
"""Decimal logarithms of GeV, between which energies are spread evenly: a power law of index -1."""
ENOUGH_MODULES: Final = 40
"""With fewer hit modules an event would hardly be an alert; it is drawn again."""
_TRIES: Final = 100
LAST_SAMPLE: Final = LAST_SEED // _TRIES - 1
"""The largest seed of a random event: each try has an event number of its own."""


def random_event(seed: int, kind: str = "track") -> Alert:
    """Return an event from an even sky that is bright enough for an alert.

    Vertex, direction and energy are drawn by the seed, again and again until `ENOUGH_MODULES` are hit: so the sample favours
    tracks that cross the detector, as alerts do.

    Raises
    ------
    NoSignal
        If no try is bright enough, which no seed is known for.
    """
    rng = np.random.default_rng([seed, 7])
    for trial in range(_TRIES):
        zenith, azimuth = math.acos(2 * rng.random() - 1), 2 * math.pi * rng.random()
        energy = 10.0 ** rng.uniform(*LOG_ENERGY)
        alert = simulate(kind, zenith, azimuth, energy, seed=_TRIES * seed + trial)
        if _is_bright(alert):
            return alert
    raise NoSignal(f"of {_TRIES} events drawn with seed {seed} none was bright enough")


def _is_bright(alert: Alert) -> bool:
    try:
        return len(hits_of(alert)) >= ENOUGH_MODULES
    except NoSignal:
        return False

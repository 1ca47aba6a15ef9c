"""From photons to pulses: what photomultipliers, digitisers and triggers make of them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.detector.geometry import Modules
from skymap_scanner.physics.photons import BLUR
from skymap_scanner.pulses import ATWD, FADC, HLC, PULSE, Pulses
from skymap_scanner.simulation.light import Light

NOISE_RATE: Final = 600e-9
"""Per ns and module, of pulses without light: 600 Hz."""
BEFORE: Final = 4000.0
"""ns of read-out before the middle of the light."""
AFTER: Final = 6000.0
"""ns after it."""
MERGED: Final = 10.0
"""ns of light that are one pulse."""
SATURATION: Final = 2000
"""Photons of a module that are simulated at most: more change neither its first time nor what is made of its charge."""
CHARGE_SPREAD: Final = 0.3
"""Relative standard deviation of a photoelectron's charge."""
SMALLEST_CHARGE: Final = 0.15
"""PE, below which the discriminator sees nothing."""
CHARGE_STEP: Final = 0.05
"""PE, in which charges are stored; times are stored in ns."""
NEIGHBOURS: Final = 2
"""Modules up and down the string that make a coincidence."""
COINCIDENCE: Final = 1000
"""ns between them at most."""
FAST_WIDTH: Final = 8.0
"""ns, of pulses of the fast digitiser."""
SLOW_WIDTH: Final = 25.0
"""ns, of pulses of the slow one, which alone records modules that are not in coincidence."""

_ROOM: Final = 10**6

Array = NDArray[np.float64]


def read_out(modules: Modules, light: Light, rng: np.random.Generator) -> Pulses:
    """Return the pulses of an event, sorted by string, om and time."""
    rows, times = _photons(modules, light, rng)
    middle = float(np.median(times)) if len(times) else float(np.median(light.direct))
    read = (times > middle - BEFORE) & (times < middle + AFTER)
    dark_rows, dark_times = _noise(len(modules.rde), middle, rng)
    rows, times = np.concatenate([rows[read], dark_rows]), np.concatenate([times[read], dark_times])
    charges = np.maximum(rng.normal(1.0, CHARGE_SPREAD, len(times)), SMALLEST_CHARGE)
    return _pulses(modules, *_merged(rows, times, charges))


def _photons(modules: Modules, light: Light, rng: np.random.Generator) -> tuple[NDArray[np.int64], Array]:
    """Modules (by row) and times of detected photons."""
    count = np.minimum(rng.poisson(light.expected * modules.rde), SATURATION)
    rows = np.repeat(np.arange(len(count)), count)
    delay = rng.gamma(light.shape[rows]) / light.rate[rows]
    return rows, light.direct[rows] + delay + rng.normal(0.0, BLUR, len(rows))


def _noise(modules: int, middle: float, rng: np.random.Generator) -> tuple[NDArray[np.int64], Array]:
    """Modules (by row) and times of pulses without light."""
    count = rng.poisson(NOISE_RATE * (BEFORE + AFTER), modules)
    rows = np.repeat(np.arange(modules), count)
    return rows, rng.uniform(middle - BEFORE, middle + AFTER, len(rows))


def _merged(rows: NDArray[np.int64], times: Array, charges: Array) -> tuple[NDArray[np.int64], Array, Array]:
    """One pulse for the photons in each `MERGED` ns since a module's first, at the time of the first of them."""
    order = np.lexsort((times, rows))
    rows, times, charges = rows[order], times[order], charges[order]
    since_first = times - times[np.searchsorted(rows, rows)]
    begins = np.ones(len(rows), bool)
    begins[1:] = (np.diff(rows) != 0) | (np.diff(since_first // MERGED) != 0)
    first = np.flatnonzero(begins)
    return rows[first], times[first], np.add.reduceat(charges, first)


def _pulses(modules: Modules, rows: NDArray[np.int64], times: Array, charges: Array) -> Pulses:
    pulses = np.zeros(len(rows), PULSE)
    pulses["string"], pulses["om"] = modules.string[rows], modules.om[rows]
    pulses["time"] = np.round(times)
    pulses["charge"] = np.round(charges / CHARGE_STEP) * CHARGE_STEP
    together = in_coincidence(modules, rows, times)
    pulses["flags"] = np.where(together, HLC | ATWD | FADC, FADC)
    pulses["width"] = np.where(together, FAST_WIDTH, SLOW_WIDTH)
    return pulses[np.lexsort((pulses["time"], pulses["om"], pulses["string"]))]


def in_coincidence(modules: Modules, rows: NDArray[np.int64], times: Array) -> NDArray[np.bool_]:
    """Whether each pulse has one of a module at most two places up or down its string within a microsecond, (n,)."""
    ns = np.round(times - times.min(initial=0.0)).astype(np.int64)
    # One number tells module and time, with more room between modules than any time needs.
    place = (100 * modules.string[rows].astype(np.int64) + modules.om[rows]) * _ROOM + ns
    known = np.append(np.sort(place), np.iinfo(np.int64).max)
    found = np.zeros(len(rows), np.bool_)
    for apart in range(1, NEIGHBOURS + 1):
        for beside in (place - apart * _ROOM, place + apart * _ROOM):
            found |= known[np.searchsorted(known, beside - COINCIDENCE)] <= beside + COINCIDENCE
    return found

"""From photons to pulses: what photomultipliers, digitisers and triggers make of them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.detector.geometry import Modules
from skymap_scanner.physics.photons import BLUR
from skymap_scanner.pulses import ATWD, FADC, HLC, PULSE, Pulses
from skymap_scanner.simulation.photons import Light

NOISE_RATE: Final = 600e-9
"""Per ns and module, of pulses without light: 600 Hz."""
BEFORE: Final = 4000.0
"""ns of read-out before the middle of the light."""
AFTER: Final = 6000.0
"""ns after it."""
MERGED: Final = 10.0
"""ns within which photons of one module are one pulse."""
SATURATION: Final = 2000
"""Photons above which a module's own time and charge mean nothing more; they are not simulated."""
CHARGE_SPREAD: Final = 0.3
"""Relative standard deviation of a photoelectron's charge."""
SMALLEST_CHARGE: Final = 0.15
"""PE, below which the discriminator sees nothing."""
NEIGHBOURS: Final = 2
"""Modules up and down the string that make a coincidence."""
COINCIDENCE: Final = 1000.0
"""ns between them."""
FAST_WIDTH: Final = 8.0
"""ns, of pulses of the fast digitiser."""
SLOW_WIDTH: Final = 25.0
"""ns, of pulses of the slow one."""

Array = NDArray[np.float64]


def read_out(modules: Modules, light: Light, rng: np.random.Generator) -> Pulses:
    """Return the pulses of an event, sorted by string, om and time."""
    rows, times = _photons(modules, light, rng)
    middle = float(np.median(times)) if len(times) else float(np.median(light.direct))
    noise = rng.poisson(NOISE_RATE * (BEFORE + AFTER), len(modules.rde))
    noisy = np.repeat(np.arange(len(noise)), noise)
    rows = np.concatenate([rows, noisy])
    times = np.concatenate([times, middle - BEFORE + (BEFORE + AFTER) * rng.random(len(noisy))])
    seen = (times > middle - BEFORE) & (times < middle + AFTER)
    rows, times = rows[seen], times[seen]
    charges = np.maximum(rng.normal(1.0, CHARGE_SPREAD, len(times)), SMALLEST_CHARGE)
    return _pulses(modules, *_merged(rows, times, charges))


def _photons(modules: Modules, light: Light, rng: np.random.Generator) -> tuple[NDArray[np.int64], Array]:
    """Modules (by row) and times of detected photons."""
    count = np.minimum(rng.poisson(light.expected * modules.rde), SATURATION)
    rows = np.repeat(np.arange(len(count)), count)
    delay = rng.gamma(light.shape[rows]) / light.rate[rows]
    return rows, light.direct[rows] + delay + rng.normal(0.0, BLUR, len(rows))


def _merged(rows: NDArray[np.int64], times: Array, charges: Array) -> tuple[NDArray[np.int64], Array, Array]:
    """One pulse for photons of a module that follow each other closely, at the time of the first."""
    order = np.lexsort((times, rows))
    rows, times, charges = rows[order], times[order], charges[order]
    begins = np.ones(len(rows), bool)
    begins[1:] = (rows[1:] != rows[:-1]) | (times[1:] - times[:-1] > MERGED)
    first = np.flatnonzero(begins)
    return rows[first], times[first], np.add.reduceat(charges, first) if len(first) else charges


def _pulses(modules: Modules, rows: NDArray[np.int64], times: Array, charges: Array) -> Pulses:
    pulses = np.zeros(len(rows), PULSE)
    pulses["string"], pulses["om"] = modules.string[rows], modules.om[rows]
    # Read-out stores times in steps of 1 ns and charges in steps of 0.05 PE.
    pulses["time"] = np.round(times)
    pulses["charge"] = np.maximum(np.round(charges / 0.05), 1.0) * 0.05
    together = in_coincidence(modules, rows, times)
    pulses["flags"] = np.where(together, HLC | ATWD | FADC, FADC)
    pulses["width"] = np.where(together, FAST_WIDTH, SLOW_WIDTH)
    return pulses[np.lexsort((pulses["time"], pulses["om"], pulses["string"]))]


def in_coincidence(modules: Modules, rows: NDArray[np.int64], times: Array) -> NDArray[np.bool_]:
    """Whether each pulse has one of a module at most two places up or down its string within a microsecond."""
    place = 100 * modules.string[rows].astype(np.int64) + modules.om[rows]
    order = np.argsort(times, kind="stable")
    place, times = place[order], times[order]
    end = np.searchsorted(times, times + COINCIDENCE, side="right")
    found = np.zeros(len(times), bool)
    for k in range(len(times)):
        apart = np.abs(place[k + 1 : end[k]] - place[k])
        near = (apart > 0) & (apart <= NEIGHBOURS)
        if near.any():
            found[k] = True
            found[k + 1 : end[k]] |= near
    result = np.empty_like(found)
    result[order] = found
    return result

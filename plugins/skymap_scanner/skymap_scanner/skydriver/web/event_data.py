"""An event as its page draws it: which modules saw light, when, and how much."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from skymap_scanner.detector.geometry import modules
from skymap_scanner.event import Alert, Truth
from skymap_scanner.pulses import module_keys
from skymap_scanner.skydriver.web.browser_map import packed

_HALF_LENGTH: Final = 620.0
"""m, of the line of a simulated track."""
_SHOWN_TIMES: Final = (0.02, 0.98)
"""Quantiles of the times, weighted by charge, that the colours span; noise lies outside."""


def event_data(alert: Alert) -> dict[str, Any]:
    """Return places (m), time of the first pulse (ns) and charge (photoelectrons) of modules, base64 of 32-bit numbers.

    Modules that saw light come faint ones first; `quiet` has the places of all that there are. Modules whose place is not
    known are left out.
    """
    pulses, header = alert.pulses, alert.header
    _, first, module = np.unique(module_keys(pulses), return_index=True, return_inverse=True)
    charge = np.bincount(module, pulses["charge"]).astype(np.float64)
    position = modules().positions_of(pulses["string"][first], pulses["om"][first])
    order = np.argsort(charge, kind="stable")
    order = order[np.isfinite(position[order, 0])]
    time, charge = pulses["time"][first][order].astype(np.float64), charge[order]
    quiet = modules().position
    quiet = quiet[np.isfinite(quiet[:, 0])]
    return {
        "run_id": header.run_id,
        "event_id": header.event_id,
        "seen": {name: packed(position[order, axis], "<f4") for axis, name in enumerate("xyz")}
        | {"time": packed(time, "<f4"), "charge": packed(charge, "<f4")}
        | {name: packed(pulses[name][first][order], "<i4") for name in ("string", "om")},
        "quiet": {name: packed(quiet[:, axis], "<f4") for axis, name in enumerate("xyz")},
        "times": _span(time, charge),
        "charge": float(charge.sum()),
        "pulses": len(pulses),
        "truth": None if alert.truth is None else _line(alert.truth),
    }


def _span(time: np.ndarray[Any, Any], charge: np.ndarray[Any, Any]) -> list[float]:
    """Earliest and latest of the times that are worth telling apart."""
    if not len(time):
        return [0.0, 1.0]
    order = np.argsort(time, kind="stable")
    share = np.cumsum(charge[order]) / max(charge.sum(), np.finfo(float).tiny)
    earliest, latest = time[order][np.minimum(np.searchsorted(share, _SHOWN_TIMES), len(time) - 1)].tolist()
    return [earliest, max(latest, earliest + 1.0)]


def _line(truth: Truth) -> list[list[float]]:
    """Where a simulated particle came in and went out, m."""
    sine = math.sin(truth.zenith)
    flight = -np.array([sine * math.cos(truth.azimuth), sine * math.sin(truth.azimuth), math.cos(truth.zenith)])
    point = np.array([truth.x, truth.y, truth.z])
    along = -point @ flight
    return [(point + (along + way) * flight).tolist() for way in (-_HALF_LENGTH, _HALF_LENGTH)]

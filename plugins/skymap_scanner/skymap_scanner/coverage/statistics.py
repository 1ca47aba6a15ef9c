"""Fractions and quantiles of measured events, with their errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

PROBABILITIES = (0.5, 0.9)
"""Of the contours that are calibrated."""


def interval(inside: int, events: int) -> tuple[float, float]:
    """Return the 68 % interval of a fraction by Wilson's score."""
    if events == 0:
        return 0.0, 1.0
    fraction = inside / events
    middle, half = fraction + 0.5 / events, math.sqrt(fraction * (1 - fraction) / events + 0.25 / events**2)
    return (middle - half) / (1 + 1 / events), (middle + half) / (1 + 1 / events)


def coverage(two_delta: Sequence[float], levels: Mapping[float, float]) -> dict[str, Any]:
    """Return, for every level, the part of the events inside, by its nominal probability in percent."""
    values = np.asarray(two_delta, dtype=float)
    found = {}
    for probability, level in sorted(levels.items()):
        inside = int((values <= level).sum())
        low, high = interval(inside, len(values))
        found[f"{100 * probability:g}"] = {
            "two_delta_llh": level,
            "inside": inside,
            "events": len(values),
            "fraction": inside / max(1, len(values)),
            "low": low,
            "high": high,
        }
    return found


def calibrated(two_delta: Sequence[float]) -> dict[float, float]:
    """Return the levels that hold the truth as often as they should in these events."""
    values = np.asarray(two_delta, dtype=float)
    return {probability: round(float(np.quantile(values, probability)), 3) for probability in PROBABILITIES}

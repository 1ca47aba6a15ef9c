"""Fractions and quantiles of measured events, with their errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

PROBABILITIES = (0.5, 0.9)
"""Of the contours that are calibrated."""


def interval(inside: float, events: int) -> tuple[float, float]:
    """Return the 68 % interval of a fraction (Wilson, J. Am. Stat. Assoc. 22 (1927) 209)."""
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


def calibrated(two_delta: Sequence[float]) -> dict[str, Any]:
    """Return the levels that hold the truth as often as they should in these events, by probability.

    `low` and `high` are the levels at the ends of the 68 % interval of the probability: a sample shows no more.
    """
    found = {}
    for probability in PROBABILITIES if two_delta else ():
        low, high = interval(probability * len(two_delta), len(two_delta))
        level, low, high = (round(float(np.quantile(two_delta, p)), 3) for p in (probability, low, high))
        found[f"{probability:g}"] = {"two_delta_llh": level, "low": low, "high": high}
    return found

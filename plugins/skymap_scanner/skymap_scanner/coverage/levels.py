"""Levels of 2 delta log L that held the truth as often as they say, in simulated events."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any


@functools.cache
def _studies() -> dict[str, Any]:
    text = resources.files("skymap_scanner.coverage").joinpath("data", "levels.json").read_text()
    studies: dict[str, Any] = json.loads(text)
    return studies


def calibrated_levels(reco: str) -> dict[float, float]:
    """Return the level of 2 (-log L + its minimum) for each probability; nothing for a reconstruction without study.

    They are calibrated on simulation: the same simulator, without systematic errors of the ice.
    """
    study = _studies()["levels"].get(reco, {})
    return {float(probability): level for probability, level in study.items()}

"""Levels of 2 delta log L that held the truth as often as they say, in simulated events."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any


@functools.cache
def shipped_studies() -> dict[str, Any]:
    """Return what `data/levels.json` says, by reconstruction: note, provenance and levels."""
    text = resources.files("skymap_scanner.coverage").joinpath("data", "levels.json").read_text()
    studies: dict[str, Any] = json.loads(text)
    return studies


def calibrated_levels(reco: str) -> dict[float, float]:
    """Return the level of 2 (-log L + its minimum) for each probability; nothing for a reconstruction without study.

    They are calibrated on simulation: the same simulator, without systematic errors of the ice.
    """
    levels = shipped_studies().get(reco, {"levels": {}})["levels"]
    return {float(probability): level["two_delta_llh"] for probability, level in levels.items()}

"""The calibration study in numbers."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from skymap_scanner import __version__
from skymap_scanner.coverage.levels import calibrated_levels, shipped_studies
from skymap_scanner.coverage.measure import Measured
from skymap_scanner.coverage.statistics import calibrated, coverage
from skymap_scanner.maps.confidence import WILKS

NOTE = "calibrated on simulation (same simulator, no ice systematics)"


def report(reco: str, seeds: range, found: Sequence[Measured]) -> dict[str, Any]:
    """Return `coverage.json`: how often the truth was inside Wilks' levels and the shipped ones.

    Parameters
    ----------
    reco
        Name of the reconstruction.
    seeds
        Of the events that the study asked for.
    found
        Those that were measured.
    """
    values = [event.two_delta for event in found]
    return {
        "reco": reco,
        "seeds": [seeds.start, seeds.stop - 1],
        "missing": len(seeds) - len(found),
        "median_separation_degrees": statistics.median(event.separation for event in found) if found else None,
        "wilks": coverage(values, {level.probability: level.two_delta for level in WILKS.levels}),
        "calibrated": coverage(values, calibrated_levels(reco)),
        "levels_of_these_events": calibrated(values),
    }


def studies(reco: str, seeds: range, found: Sequence[Measured]) -> dict[str, Any]:
    """Return `levels.json`: the shipped studies, with this one in the place of its reconstruction's."""
    study = {
        "note": NOTE,
        "provenance": {
            "command": f"skymap-scanner coverage --reco {reco} --events {len(seeds)} --seed {seeds.start}",
            "events": len(found),
            "seeds": [seeds.start, seeds.stop - 1],
            "version": __version__,
        },
        "levels": calibrated([event.two_delta for event in found]),
    }
    return shipped_studies() | {reco: study}

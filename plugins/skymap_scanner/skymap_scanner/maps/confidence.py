"""Levels of 2 (llh - lowest llh) that bound regions of a given confidence, and where each comes from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from skymap_scanner.coverage.levels import calibrated_levels


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """One contour."""

    probability: float
    """Nominal probability that the truth lies inside."""
    two_delta: float
    """The value of 2 (llh - lowest llh) on the contour."""

    @property
    def key(self) -> str:
        """What files call it: `50`, `90`, `3sigma`."""
        return "3sigma" if self.probability > 0.99 else f"{100 * self.probability:.0f}"

    @property
    def label(self) -> str:
        """What pictures call it: `50 %`, `90 %`, `3 sigma`."""
        return "3 sigma" if self.probability > 0.99 else f"{100 * self.probability:.0f} %"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Scheme:
    """A set of levels with one provenance."""

    name: str
    """What files call it."""
    note: str
    """Where the levels come from and what they leave out."""
    levels: tuple[Level, ...]
    """By rising probability."""


def _levels(values: Mapping[float, float]) -> tuple[Level, ...]:
    return tuple(Level(probability=p, two_delta=values[p]) for p in sorted(values))


WILKS = Scheme(
    name="wilks",
    note="Wilks' theorem for two parameters; statistical errors of a perfect likelihood only",
    levels=_levels({0.5: 1.39, 0.9: 4.61, 0.9973: 11.83}),
)
"""As icecube-skyreader has them."""

MILLIPEDE = Scheme(
    name="millipede_ic160427a",
    note="calibrated for Millipede on simulations of IC160427A, with ice systematics; not for other reconstructions",
    levels=_levels({0.5: 22.2, 0.9: 64.2}),
)
"""As icecube-skyreader's `systematics` has them."""


def calibrated_for(reco: str) -> Scheme | None:
    """Return the levels that our own coverage study found for a reconstruction, or None where there was no study."""
    levels = calibrated_levels(reco)
    note = "calibrated on simulation (same simulator, no ice systematics)"
    return Scheme(name="calibrated", note=note, levels=_levels(levels)) if levels else None

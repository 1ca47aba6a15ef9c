"""One thing that is measured."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from bench.sample import Sample


class Aim(enum.Enum):
    """On which side of the limit a figure should be."""

    AT_LEAST = "at least"
    BELOW = "below"


@dataclass(frozen=True)
class Goal:
    """What a figure should be."""

    aim: Aim
    limit: float

    def is_met(self, value: float) -> bool:
        """Whether a figure is on the right side."""
        return value >= self.limit if self.aim is Aim.AT_LEAST else value < self.limit


@dataclass(frozen=True, kw_only=True)
class Case:
    """A figure of one system under one load."""

    name: str
    """What the command line calls it."""
    title: str
    """What the report calls it."""
    unit: str
    """Of its figure."""
    events: int
    """Per run, chosen so that a run takes some seconds."""
    measure: Callable[[int], Sample]
    """Takes the number of events; raises `BenchError` for a run that is worth nothing."""
    setup: str
    """How the system was configured, in a sentence."""
    goal: Goal | None = None
    """What the median should be."""
    most_rounds: int | None = None
    """Where it is the same every time, or takes long."""
    only_long: bool = False
    """Runs under `--long` or by its name only."""

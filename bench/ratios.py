"""How much faster than a peer: a ratio per round, because both ran under the same conditions in it, and their median."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Comparison:
    """Two cases, and what the median of their ratios should be at least."""

    case: str
    peer: str
    least: float | None = None


@dataclass(frozen=True)
class Spread:
    """Median and range of some figures."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one figure."""
        return cls(median(values), min(values), max(values))


def ratios(figures: Sequence[float], peers: Sequence[float]) -> Spread:
    """The spread of ratios of figures that were taken in the same rounds; a round that only one has does not count."""
    return Spread.of([figure / peer for figure, peer in zip(figures, peers, strict=False)])


COMPARISONS = (
    Comparison("ewms", "parsl", 100),
    Comparison("ewms-models", "parsl", 40),
    Comparison("ewms-singles", "parsl", 2),
    *(
        Comparison(case, peer)
        for case in ("ewms", "ewms-models", "ewms-singles", "ewms-map")
        for peer in ("parsl", "parsl-tuned", "dask", "celery")
        if (case, peer) not in {("ewms", "parsl"), ("ewms-models", "parsl"), ("ewms-singles", "parsl")}
    ),
)

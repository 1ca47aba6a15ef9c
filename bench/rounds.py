"""Interleaved rounds: A B C, A B C, …, so that whatever else the machine does falls on all alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.case import Case
from bench.sample import Sample

Samples = dict[str, list[Sample]]
"""By the case's name, in the order of the rounds."""


def run_rounds(cases: Sequence[Case], rounds: int, events: int | None, tell: Callable[[int, Case, Sample], None]) -> Samples:
    """Measure every case in every round, but for those that run less often.

    Parameters
    ----------
    events
        Per run instead of the cases' own numbers.
    tell
        Called after each run with the round, from 1.
    """
    samples: Samples = {case.name: [] for case in cases}
    for number in range(1, rounds + 1):
        for case in cases:
            if case.most_rounds is None or number <= case.most_rounds:
                sample = case.measure(events or case.events)
                samples[case.name].append(sample)
                tell(number, case, sample)
    return samples

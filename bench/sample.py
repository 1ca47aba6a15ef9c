"""What one run of one case gave."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """A figure in the case's unit, and what else was seen."""

    value: float
    note: str = ""
    """Further figures of the same run, for people."""
    version: str = ""
    """Of the system that was measured, where it is not ewms."""


def per_second(events: int, seconds: float, version: str = "") -> Sample:
    """A throughput."""
    return Sample(events / seconds, version=version)

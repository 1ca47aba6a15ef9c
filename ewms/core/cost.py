"""What a task run cost the machine it ran on."""

from __future__ import annotations

import resource
from collections.abc import Iterable

import msgspec

_KIB, _MIB, _GIB = 1 << 10, 1 << 20, 1 << 30


class Cost(msgspec.Struct, array_like=True):
    """Processor time and memory behind some outcomes. Zero where it could not be measured."""

    cpu: float = 0.0
    """Seconds of processor time, with that of child processes that have ended."""
    peak: int = 0
    """Bytes: the most that the process, or the largest of several, had resident."""

    def add(self, other: Cost) -> None:
        """Take in what something else cost."""
        self.cpu += other.cpu
        self.peak = max(self.peak, other.peak)


def cost_of(usage: resource.struct_rusage) -> Cost:
    """The cost of a process that has ended, and of the children that it has waited for."""
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _KIB)


def total(costs: Iterable[Cost]) -> Cost:
    """All of them together."""
    found = Cost()
    for cost in costs:
        found.add(cost)
    return found


def show_bytes(size: int) -> str:
    """Bytes for people: `2.1 GiB`, `300 MiB`."""
    return f"{size / _GIB:.1f} GiB" if size >= _GIB else f"{size / _MIB:.0f} MiB"

"""What each task has cost so far, for the summary: never part of a product."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ewms.core import wire
from ewms.core.wire import Kind


class TaskCost(msgspec.Struct):
    """Of all runs of one task, repeated ones included."""

    seconds: float = 0.0
    """Wall time of the successful runs."""
    cpu_seconds: float = 0.0
    """Processor time of all runs whose end was reported."""
    peak_memory: int = 0
    """Bytes: the most that any run had; 0 where nobody could measure it."""
    exits: dict[str, int] = msgspec.field(default_factory=dict)
    """Runs by how they ended: `ok`, `timeout`, `memory`, `crash`, `exit`, the name of an exception."""

    def add(self, report: wire.Report) -> None:
        """Take in a report."""
        self.seconds = round(self.seconds + report.busy, 6)
        self.cpu_seconds = round(self.cpu_seconds + report.cost.cpu, 6)
        self.peak_memory = max(self.peak_memory, report.cost.peak, *_peaks(report.failures), 0)
        exits = Counter(_exits(report.failures))
        if report.results:
            exits["ok"] = len(report.results)
        for name, count in exits.items():
            self.exits[name] = self.exits.get(name, 0) + count


class Costs:
    """What all tasks of a workflow cost.

    Parameters
    ----------
    names
        Of the tasks, in the order of the graph.
    known
        As `as_dict` gave it to the journal.
    """

    def __init__(self, names: Iterable[str], known: Mapping[str, Any]) -> None:
        self._tasks = {name: msgspec.convert(known.get(name, {}), TaskCost) for name in names}

    def add(self, report: wire.Report) -> None:
        """Take in a report on a known task."""
        self._tasks[report.task].add(report)

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Plain values by task."""
        return {name: msgspec.to_builtins(cost) for name, cost in self._tasks.items()}


def _peaks(failures: Iterable[wire.Failure]) -> list[int]:
    return [int(failure.detail.get("peak_memory", 0)) for failure in failures]


def _exits(failures: Iterable[wire.Failure]) -> list[str]:
    return [str(failure.detail.get("type", "unknown")) for failure in failures if failure.kind is Kind.FAILED]

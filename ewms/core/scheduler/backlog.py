"""What a workflow has left to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ewms.core.service.workflow import TaskProgress


class Backlog(NamedTuple):
    """Events that are not terminal."""

    events: int
    """How many."""
    seconds: float | None
    """What one of them takes; None where no task with events left has been measured."""


def backlog(tasks: Mapping[str, TaskProgress]) -> Backlog:
    """All tasks together; a task that was not measured yet counts as the mean of those that were."""
    left = {name: max(0, task.planned - task.terminal) for name, task in tasks.items()}
    measured = [(left[name], task.seconds) for name, task in tasks.items() if left[name] and task.seconds is not None]
    events = sum(count for count, _ in measured)
    seconds = sum(count * each for count, each in measured) / events if events else None
    return Backlog(sum(left.values()), seconds)

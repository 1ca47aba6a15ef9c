"""What the workers of a scan do, put together over its taskforces. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ewms.services import TaskforceDocument

_RUNNING = "RUNNING"
_ENDED = frozenset({"FatalError", "Done"})
"""A job that still runs, but whose pilot has ended."""


def workforce_of(taskforces: Iterable[TaskforceDocument]) -> dict[str, Any]:
    """SkyDriver's `statuses`, `n_running` and `top_errors`."""
    statuses: dict[str, Counter[str]] = {}
    errors: Counter[str] = Counter()
    for taskforce in taskforces:
        errors.update(taskforce.top_task_errors)
        for job, pilots in taskforce.compound_statuses.items():
            statuses.setdefault(job, Counter()).update(pilots)
    running = statuses.get(_RUNNING, Counter())
    return {
        "statuses": {job: dict(pilots) for job, pilots in sorted(statuses.items())},
        "n_running": sum(count for pilot, count in running.items() if pilot not in _ENDED),
        "top_errors": dict(errors.most_common()),
    }

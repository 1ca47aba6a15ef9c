"""A remote workflow's status in the words of a local run's progress, so that one display shows both."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ewms.client.status import WorkflowStatus

if TYPE_CHECKING:
    from ewms.local.progress import Progress

_NOTHING = {"accepted": 0, "dead_lettered": 0, "retried": 0}


def progress_of(status: WorkflowStatus) -> Progress:
    """The status as progress. Its rate is not known, and its seconds are those since submission by this machine's clock."""
    from ewms.local.progress import Progress, TaskProgress

    waiting = status.state if not status.reason else f"{status.state}: {status.reason}"
    return Progress(
        workflow_id=status.workflow_id,
        state=status.state,
        seconds=max(0.0, time.time() - status.timestamp),
        events=_NOTHING | status.counts,
        tasks=[TaskProgress(name=name, planned=task.planned, done=task.terminal) for name, task in status.tasks.items()],
        all_known=status.has_ended,
        events_per_second=0.0,
        eta_seconds=None,
        status=waiting,
    )

"""How far a hosted workflow is, as its document tells it."""

from __future__ import annotations

import time
from typing import Any

from ewms.core.service.workflow import TaskProgress, WorkflowDocument
from ewms.wms.driver import Driver

_DIGITS = 3


class Standing:
    """Read after a step of the driver, when everything that is counted is committed.

    Parameters
    ----------
    driver
        Read only.
    document
        As it stood when this driver began.
    """

    def __init__(self, driver: Driver, document: WorkflowDocument) -> None:
        self._driver = driver
        self._submitted = document.timestamp
        self._first = document.first_outcome_seconds
        self._numbers: tuple[Any, ...] = ()

    def read(self) -> None:
        """Take note of the counts."""
        ledger = self._driver.ledger
        self._numbers = (ledger.counters.as_dict(), tuple(ledger.planned_by_task), tuple(ledger.done_by_task))

    def fields(self) -> dict[str, Any]:
        """Of the document, as of the last reading; none before the first."""
        if not self._numbers:
            return {}
        counts, planned, done = self._numbers
        ledger = self._driver.ledger
        tasks = {
            task.name: TaskProgress(planned=planned[number], terminal=done[number], seconds=_rounded(run_time.mean))
            for number, (task, run_time) in enumerate(zip(ledger.graph.tasks, ledger.outbox.run_times, strict=True))
        }
        if self._first is None and self._driver.first_outcome_at is not None:
            since = time.monotonic() - self._driver.first_outcome_at
            self._first = round(max(0.0, time.time() - since - self._submitted), 3)
        return {"counts": counts, "tasks": tasks, "first_outcome_seconds": self._first}


def _rounded(seconds: float | None) -> float | None:
    """Without digits that change at every event and mean nothing."""
    return None if seconds is None else float(f"{seconds:.{_DIGITS}g}")

"""How far a running workflow is, as numbers: for the terminal, for `--json`, for callers."""

from __future__ import annotations

import logging
import time
from collections import deque

import msgspec

from ewms.core.errors import EwmsError
from ewms.wms.driver import Driver

_log = logging.getLogger("ewms.driver")
_SPAN = 10.0


class TaskProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one task."""

    name: str
    """The task."""
    planned: int
    """Events known so far."""
    done: int
    """Events that are terminal."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of a running workflow."""

    workflow_id: str
    """Which one."""
    state: str
    """`running`, or how it ended."""
    seconds: float
    """Since this driver started."""
    events: dict[str, int]
    """As in `summary.json`."""
    tasks: list[TaskProgress]
    """In the order of the graph."""
    all_known: bool
    """Whether the source is exhausted, so that `planned` grows only through outcomes."""
    events_per_second: float
    """Over the last ten seconds."""
    eta_seconds: float | None
    """Until what is planned is done at this rate; None while that cannot be told."""
    status: str = ""
    """What the application says of it, in a line."""


class Meter:
    """Measures a driver's progress.

    Parameters
    ----------
    workflow_id
        For the reader.
    driver
        Read only.
    """

    def __init__(self, workflow_id: str, driver: Driver) -> None:
        self._workflow_id = workflow_id
        self._driver = driver
        self._started = time.monotonic()
        self._samples: deque[tuple[float, int]] = deque()
        self._has_status = True

    @property
    def done(self) -> int:
        """Events that are terminal."""
        return sum(self._driver.ledger.done_by_task)

    def read(self, state: str = "running") -> Progress:
        """The numbers now."""
        ledger = self._driver.ledger
        now = time.monotonic()
        done = self.done
        self._samples.append((now, done))
        while now - self._samples[0][0] > _SPAN:
            self._samples.popleft()
        span = now - self._samples[0][0]
        rate = (done - self._samples[0][1]) / span if span > 0 else 0.0
        return Progress(
            workflow_id=self._workflow_id,
            state=state,
            seconds=round(now - self._started, 3),
            events=ledger.counters.as_dict(),
            tasks=[
                TaskProgress(name=task.name, planned=planned, done=finished)
                for task, planned, finished in zip(
                    ledger.graph.tasks, ledger.planned_by_task, ledger.done_by_task, strict=True
                )
            ],
            all_known=ledger.source_done,
            events_per_second=round(rate, 3),
            eta_seconds=round(ledger.outstanding / rate, 1) if rate > 0 and ledger.source_done else None,
            status=self._status() if self._has_status else "",
        )

    def _status(self) -> str:
        """What the application says; once it failed to, nothing: a workflow does not end for the sake of a line."""
        try:
            return self._driver.ledger.host.status()
        except EwmsError as error:
            _log.warning("status_failed", extra={"reason": str(error)})
            self._has_status = False
            return ""

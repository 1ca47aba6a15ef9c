"""What executors share that run one program per event."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from ewms.core.cost import Cost
from ewms.core.errors import ConsumerError, UsageError
from ewms.core.spec import TaskSpec
from ewms.core.wire import Failure, Kind, Result, WorkEvent
from ewms.pilot.executors.base import Executor, Report, Surroundings
from ewms.pilot.holding import Holding
from ewms.pilot.outputs import Packer
from ewms.pilot.reasons import Detail
from ewms.pilot.worker.frames import NO_RESULTS, RawChunk, encode_results


class TaskFailed(Exception):
    """The program ran and did not succeed."""

    def __init__(self, reason: str, detail: Detail) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class SingleExecutor(Executor):
    """Runs the events of a message one after the other, and reports each when it ends.

    Parameters
    ----------
    handles
        Tells which tasks it is for.
    """

    def __init__(self, surroundings: Surroundings, handles: Callable[[TaskSpec], bool]) -> None:
        self._packers = {
            task.name: Packer(task.codec, task.output, surroundings.room, surroundings.blob_url, surroundings.blob_threshold)
            for task in surroundings.tasks
            if handles(task)
        }

    @abstractmethod
    async def work(self, task: TaskSpec, event: WorkEvent, cost: Cost) -> Any:
        """The value that comes of an event, None for no output; what it cost is added to `cost`.

        Raises
        ------
        TaskFailed
            The program did not succeed.
        UsageError
            The event's body or its output does not fit; `ConsumerError` where the task cannot be run here at all.
        """

    async def run(self, task: TaskSpec, holding: Holding, report: Report) -> None:
        """See `Executor`."""
        packer = self._packers[task.name]
        while holding.todo:
            event, started, cost = holding.next_event, time.monotonic(), Cost()
            try:
                packed = await asyncio.to_thread(packer.pack, await self.work(task, event, cost))
            except (TaskFailed, UsageError, OSError) as error:
                if isinstance(error, ConsumerError):
                    raise
                failure = _failure(event, error, time.monotonic() - started, cost)
                report(RawChunk(done=1, busy=0.0, results=NO_RESULTS, failures=[failure], cost=cost))
            else:
                results = encode_results([Result(event.id, event.attempt, packed.outputs, packed.many)])
                report(RawChunk(done=1, busy=time.monotonic() - started, results=results, failures=[], cost=cost))


def _failure(event: WorkEvent, error: TaskFailed | UsageError | OSError, seconds: float, cost: Cost) -> Failure:
    known: Detail = error.detail if isinstance(error, TaskFailed) else {"type": type(error).__qualname__}
    if cost.peak:
        known |= {"cpu_seconds": round(cost.cpu, 6), "peak_memory": cost.peak}
    return Failure(
        id=event.id,
        attempt=event.attempt,
        kind=Kind.FAILED,
        reason=str(error),
        detail={**known, "seconds": round(seconds, 6)},
    )

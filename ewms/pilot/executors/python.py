"""The Python executor: consumers in warm worker processes that survive messages, and are replaced when they crash."""

from __future__ import annotations

import asyncio
import logging
import re
import time

import msgspec

from ewms.core.errors import ConsumerError
from ewms.core.spec import TaskSpec
from ewms.core.wire import Kind
from ewms.pilot import data_hub
from ewms.pilot.child import describe_exit
from ewms.pilot.executors.base import Executor, Report, Surroundings
from ewms.pilot.executors.worker import Worker, WorkerDied
from ewms.pilot.holding import Holding
from ewms.pilot.reasons import Detail, telling_line
from ewms.pilot.watchdog import Watchdog
from ewms.pilot.worker.frames import NO_RESULTS, Job, RawChunk, Setup, TaskInfo
from ewms.pilot.worker.progress import IDLE

logger = logging.getLogger("ewms.pilot.executors.python")

_LOAD_TRIES = 2
"""A process that dies this often before its first event does so because of its consumer."""
_FATAL = re.compile(r"^Fatal Python error: .*", re.MULTILINE)

_Environment = frozenset[tuple[str, str]]


class PythonExecutor(Executor):
    """Keeps one process per environment: what a library read from its environment once must stay true."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._setup = Setup(
            tasks=[
                TaskInfo(task.name, task.python, task.codec, list(task.output))
                for task in surroundings.tasks
                if task.python is not None
            ],
            search_path=list(surroundings.search_path),
            room=surroundings.room,
            blob_url=surroundings.blob_url,
            blob_threshold=surroundings.blob_threshold,
        )
        self._data_hub = {data_hub.VARIABLE: surroundings.data_hub}
        self._spare = surroundings.spare
        self._workers: dict[_Environment, Worker] = {}

    async def start(self, task: TaskSpec) -> None:
        """See `Executor`."""
        await self._worker(task)

    async def run(self, task: TaskSpec, holding: Holding, report: Report) -> None:
        """See `Executor`."""
        singly, deaths_at_load = False, 0
        while holding.todo:
            worker = await self._worker(task)
            watchdog = worker.watchdog(task.timeout, task.resources.memory)
            watchdog.start()
            try:
                await worker.run(_job(holding, singly), len(holding.todo), report)
            except WorkerDied as death:
                reason = watchdog.verdict or describe_exit(death.code)
                logger.warning("worker_crashed task=%s reason=%s", task.name, reason)
                if death.place.position == IDLE:
                    deaths_at_load += 1
                    if deaths_at_load == _LOAD_TRIES:
                        said = telling_line(worker.child.stderr.tail())
                        raise ConsumerError(
                            f"loading consumer '{task.python}' ended the worker process ({reason}: {said}); try to import it"
                        ) from death
                elif death.place.together > 1:
                    singly = True
                else:
                    _blame(holding, death, watchdog, worker, report)
            finally:
                watchdog.stop()

    async def close(self) -> None:
        """See `Executor`."""
        await asyncio.gather(*(worker.end() for worker in self._workers.values()))
        self._workers.clear()

    async def _worker(self, task: TaskSpec) -> Worker:
        key = frozenset(task.environment.items())
        worker = self._workers.get(key)
        if worker is None or not worker.is_alive:
            if worker is not None:
                await worker.end()
            worker = self._workers[key] = await self._new_worker(task)
        return worker

    async def _new_worker(self, task: TaskSpec) -> Worker:
        if self._spare is not None and not task.environment:
            setup = msgspec.structs.replace(self._setup, environment=self._data_hub)
            if (worker := await Worker.adopt(self._spare, setup)) is not None:
                return worker
        return await Worker.start(task.environment | self._data_hub, self._setup)


def _job(holding: Holding, singly: bool) -> Job:
    positions = None if isinstance(holding.todo, range) and holding.todo.start == 0 else list(holding.todo)
    return Job(holding.delivery.body, positions, singly)


def _blame(holding: Holding, death: WorkerDied, watchdog: Watchdog, worker: Worker, report: Report) -> None:
    """Report the event at which a process died as failed, if it was still at it."""
    ahead = death.place.position - death.reported
    seconds = time.monotonic() - death.place.started
    overtaken = watchdog.kind == "timeout" and seconds < (watchdog.timeout or 0.0)
    if ahead < 0 or overtaken:
        return  # it had finished that event meanwhile; what was not reported yet is run again
    holding.bring_forward(ahead)
    detail: Detail = {"type": watchdog.kind or "crash", "exit_code": death.code, "seconds": round(seconds, 6)}
    if worker.child.cost.peak:
        detail["peak_memory"] = worker.child.cost.peak
    detail |= worker.child.tails()
    reason = watchdog.verdict or _crash_reason(death.code, str(detail.get("stderr", "")))
    failure = holding.failure(holding.todo[0], Kind.FAILED, reason, detail)
    report(RawChunk(done=1, busy=0.0, results=NO_RESULTS, failures=[failure]))


def _crash_reason(code: int, stderr: str) -> str:
    if code >= 0:
        return f"the worker process exited with code {code} inside the task"
    fatal = _FATAL.findall(stderr)
    return f"{describe_exit(code)} ({fatal[-1]})" if fatal else describe_exit(code)

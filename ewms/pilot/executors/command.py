"""The command executor: a program per event, fed and read through files, without a shell."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from typing import Any

from ewms.core.errors import ConsumerError, UsageError
from ewms.core.spec import TaskSpec
from ewms.core.wire import Failure, Kind, Result, WorkEvent
from ewms.pilot import data_hub, processes
from ewms.pilot.child import Child, describe_exit
from ewms.pilot.executors.base import Executor, Report, Surroundings
from ewms.pilot.holding import Holding
from ewms.pilot.outputs import Packed, Packer
from ewms.pilot.reasons import Detail, telling_line
from ewms.pilot.scratch import Scratch
from ewms.pilot.watchdog import Watchdog
from ewms.pilot.worker.frames import NO_RESULTS, RawChunk, encode_results


class CommandFailed(Exception):
    """The command ran and did not succeed."""

    def __init__(self, reason: str, detail: Detail) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class CommandExecutor(Executor):
    """Runs argv lists with `{{INFILE}}`, `{{OUTFILE}}` and `{{DATA_HUB}}` replaced, as EWMS task images expect it."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._working_directory = surroundings.working_directory
        self._packers = {
            task.name: Packer(task.codec, task.output, surroundings.room, surroundings.blob_url, surroundings.blob_threshold)
            for task in surroundings.tasks
            if task.command is not None
        }
        self._root = tempfile.mkdtemp(prefix="ewms-pilot-", dir=surroundings.scratch)
        self._data_hub = surroundings.data_hub
        self._numbers = itertools.count()
        self._proven: set[str] = set()

    async def start(self, task: TaskSpec) -> None:
        """See `Executor`; a command needs nothing."""

    async def run(self, task: TaskSpec, holding: Holding, report: Report) -> None:
        """See `Executor`."""
        while holding.todo:
            event, started = holding.next_event, time.monotonic()
            try:
                packed = await self._run_one(task, event)
            except (CommandFailed, UsageError, OSError) as error:
                if isinstance(error, ConsumerError):
                    raise
                failure = _failure(event, error, time.monotonic() - started)
                report(RawChunk(done=1, busy=0.0, results=NO_RESULTS, failures=[failure]))
            else:
                results = encode_results([Result(event.id, event.attempt, packed.outputs, packed.many)])
                report(RawChunk(done=1, busy=time.monotonic() - started, results=results, failures=[]))

    async def close(self) -> None:
        """See `Executor`."""
        await asyncio.to_thread(shutil.rmtree, self._root, ignore_errors=True)

    async def _run_one(self, task: TaskSpec, event: WorkEvent) -> Packed:
        scratch = Scratch(os.path.join(self._root, str(next(self._numbers))), task)
        try:
            await asyncio.to_thread(scratch.write, event)
            await self._execute(task, event, scratch)
            return await asyncio.to_thread(self._pack_output, task, scratch)
        finally:
            await asyncio.to_thread(scratch.remove)

    def _pack_output(self, task: TaskSpec, scratch: Scratch) -> Packed:
        return self._packers[task.name].pack(scratch.read())

    async def _execute(self, task: TaskSpec, event: WorkEvent, scratch: Scratch) -> None:
        started = time.monotonic()
        child = self._spawn(task, event, scratch)
        watchdog = Watchdog(child, task.timeout, task.resources.memory, lambda: started)
        watchdog.start()
        try:
            code = await asyncio.shield(child.ended)
        finally:
            watchdog.stop()
            await child.end()
        if watchdog.verdict is None and code in task.okay_exit_codes:
            return
        detail: Detail = {"type": watchdog.kind or "exit", "exit_code": code, **child.tails()}
        telling = telling_line(child.stderr.tail())
        raise CommandFailed(watchdog.verdict or f"{describe_exit(code)}: {telling}", detail)

    def _spawn(self, task: TaskSpec, event: WorkEvent, scratch: Scratch) -> Child:
        argv = [self._fill(argument, scratch) for argument in task.command or ()]
        cwd = self._working_directory or scratch.folder
        try:
            process = processes.spawn(argv, processes.task_environment(self._environment(task, event, scratch)), cwd)
        except OSError as error:
            problem = f"command '{argv[0]}' of task '{task.name}' cannot be started in {cwd}: {error.strerror or error}"
            if task.name in self._proven:
                raise CommandFailed(problem, {"type": "exit"}) from error
            raise ConsumerError(f"{problem}; install it where the pilots run or give its full path") from error
        self._proven.add(task.name)
        return Child(process)

    def _environment(self, task: TaskSpec, event: WorkEvent, scratch: Scratch) -> Mapping[str, str]:
        return task.environment | {
            "EWMS_TASK_NAME": task.name,
            "EWMS_EVENT_ID": event.id,
            "EWMS_TASK_INFILE": scratch.infile,
            "EWMS_TASK_OUTFILE": scratch.outfile,
            data_hub.VARIABLE: self._data_hub,
        }

    def _fill(self, argument: str, scratch: Scratch) -> str:
        for names, value in (
            (("{{INFILE}}", "{{IN_FILE}}"), scratch.infile),
            (("{{OUTFILE}}", "{{OUT_FILE}}"), scratch.outfile),
            (("{{DATA_HUB}}", "{{DATAHUB}}"), self._data_hub),
        ):
            for name in names:
                argument = argument.replace(name, value)
        return argument


def _failure(event: WorkEvent, error: CommandFailed | UsageError | OSError, seconds: float) -> Failure:
    known: dict[str, Any] = error.detail if isinstance(error, CommandFailed) else {"type": type(error).__qualname__}
    return Failure(
        id=event.id,
        attempt=event.attempt,
        kind=Kind.FAILED,
        reason=str(error),
        detail={**known, "seconds": round(seconds, 6)},
    )

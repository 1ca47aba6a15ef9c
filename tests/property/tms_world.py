"""A service and a backend that lose, repeat and delay what a TMS says, and kill it between any two calls."""

from __future__ import annotations

import asyncio
import enum
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from ewms.core.config import PilotConfig
from ewms.core.errors import EwmsError, NotFound
from ewms.core.service.phases import ALLOWED, ENDING, Phase
from ewms.core.service.report import ClusterReport
from ewms.core.service.taskforce import Order, Plan, TaskforceDocument, WorkerSpec
from ewms.core.spec import TaskSpec
from ewms.tms.backend import Backend, BackendRefused, BackendUnavailable, Batch, Standing, Submitted
from ewms.tms.service import ServiceUnavailable

T = TypeVar("T")
_SLOW_TICKS = 10


class Fate(enum.Enum):
    """What becomes of one call."""

    WELL = enum.auto()
    SLOW = enum.auto()
    """It takes its time on both ways."""
    LOST = enum.auto()
    """It never arrives."""
    UNANSWERED = enum.auto()
    """It takes effect, but nobody hears of it."""
    LATE = enum.auto()
    """It takes effect some time after the caller gave up."""
    REPEATED = enum.auto()
    """It arrives twice, as HTTP requests may."""
    CRASH_BEFORE = enum.auto()
    """The TMS dies before it is made."""
    CRASH_AFTER = enum.auto()
    """The TMS dies before it hears the answer."""


class Crash(BaseException):
    """SIGKILL."""


class World:
    """All that outlives a TMS."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.revision = 1
        self.taskforces: dict[str, TaskforceDocument] = {}
        self.bad: set[str] = set()
        self.batches: dict[int, Batch] = {}
        self.last_id = 0
        self.backend_is_up = True
        self.delayed: list[Callable[[], object]] = []
        self.delayed_submissions: Counter[str] = Counter()
        self.fates: deque[Fate] = deque()
        self.violations: list[str] = []
        self.generation = 0
        self.dead = False

    def change(self, uuid: str, **fields: Any) -> None:
        """Write a taskforce."""
        self.revision += 1
        self.taskforces[uuid] = self.taskforces[uuid].model_copy(update=fields)

    def arrive(self) -> None:
        """Let everything that was delayed take effect."""
        delayed, self.delayed = self.delayed, []
        for effect in delayed:
            try:
                effect()
            except EwmsError:
                continue

    async def call(self, generation: int, effect: Callable[[], T], lost: type[EwmsError]) -> T:
        """Make one call of the TMS of that generation, with the next fate."""
        fate = self.fates.popleft() if self.fates else Fate.WELL
        await _pass(_SLOW_TICKS if fate is Fate.SLOW else 1)
        if generation != self.generation or self.dead:
            raise Crash
        if fate is Fate.CRASH_BEFORE:
            self.dead = True
            raise Crash
        if fate is Fate.LOST:
            raise lost
        if fate is Fate.LATE:
            self.delayed.append(effect)
            raise lost
        if fate is Fate.REPEATED and lost is ServiceUnavailable:
            self._first(effect)
        answer = effect()
        await _pass(_SLOW_TICKS if fate is Fate.SLOW else 1)
        if fate is Fate.CRASH_AFTER or self.dead:
            self.dead = True
            raise Crash
        if fate is Fate.UNANSWERED:
            raise lost
        return answer

    @staticmethod
    def _first(effect: Callable[[], object]) -> None:
        try:
            effect()
        except EwmsError:
            return


async def _pass(ticks: int) -> None:
    """Let others have their turn."""
    for _ in range(ticks):
        await asyncio.sleep(0)


class ModelService:
    """The service, as one TMS sees it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._generation = world.generation

    async def plan(self, after: int | None) -> Plan:
        return await self._call(self._plan)

    async def pilot(self, uuid: str) -> PilotConfig:
        return await self._call(lambda: self._pilot(uuid))

    def download(self, workflow_id: str, name: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        raise AssertionError("nothing was uploaded")

    async def confirm_submit(self, uuid: str, submitted: Submitted) -> None:
        def effect() -> None:
            self._go(uuid, Phase.CONDOR_SUBMIT, cluster_id=submitted.cluster_id, failures=0)

        await self._call(effect)

    async def report_submit_failure(self, uuid: str, reason: str) -> None:
        def effect() -> None:
            self._world.change(uuid, failures=self._world.taskforces[uuid].failures + 1, reason=reason)

        await self._call(effect)

    async def confirm_removal(self, uuid: str) -> None:
        await self._call(lambda: self._go(uuid, Phase.CONDOR_RM))

    async def report_removal_failure(self, uuid: str, reason: str) -> None:
        raise AssertionError("the model refuses no removal")

    async def confirm_completion(self, uuid: str, ended_at: float) -> None:
        await self._call(lambda: self._go(uuid, Phase.CONDOR_COMPLETE))

    async def tell_standings(self, standings: Sequence[Standing]) -> None:
        await self._call(lambda: None)

    async def report(self, report: ClusterReport) -> None:
        await self._call(lambda: None)

    def _call(self, effect: Callable[[], T]) -> Awaitable[T]:
        return self._world.call(self._generation, effect, ServiceUnavailable)

    def _plan(self) -> Plan:
        live = [taskforce for taskforce in self._world.taskforces.values() if taskforce.phase is not Phase.CONDOR_COMPLETE]
        return Plan(
            revision=self._world.revision,
            orders=tuple(Order(taskforce=taskforce, version=self._world.revision) for taskforce in live),
        )

    def _pilot(self, uuid: str) -> PilotConfig:
        if self._world.taskforces[uuid].phase in ENDING:
            raise NotFound(uuid)
        return PILOT

    def _go(self, uuid: str, phase: Phase, **fields: Any) -> None:
        taskforce = self._world.taskforces[uuid]
        if phase not in ALLOWED[taskforce.phase] or (phase is Phase.CONDOR_SUBMIT and taskforce.phase in ENDING):
            raise NotFound(uuid)
        self._world.change(uuid, phase=phase, **fields)


class ModelBackend(Backend):
    """The backend, as one TMS sees it."""

    Settings = BaseModel

    def __init__(self, world: World) -> None:
        self._world = world
        self._generation = world.generation
        self._busy: set[str] = set()

    async def survey(self) -> list[Batch]:
        return await self._call(lambda: list(self._world.batches.values()))

    async def submit(self, order: Order, config: PilotConfig, files: Mapping[str, Path]) -> Submitted:
        uuid, workers = order.taskforce.taskforce_uuid, order.taskforce.workers
        before = len(self._world.delayed)

        def effect() -> Submitted:
            if uuid in self._world.bad:
                raise BackendRefused("its requirements make no sense")
            self._world.last_id += 1
            self._world.batches[self._world.last_id] = Batch(uuid, self._world.last_id, workers)
            return Submitted(cluster_id=self._world.last_id, workers=workers, submit_dict={}, event_log="")

        try:
            return await self._alone(uuid, effect)
        finally:
            if len(self._world.delayed) > before:
                self._world.delayed_submissions[uuid] += 1

    async def recall(self, batch: Batch) -> Submitted:
        submitted = Submitted(cluster_id=batch.cluster_id, workers=batch.workers, submit_dict={}, event_log="")
        return await self._alone(batch.taskforce_uuid, lambda: submitted)

    async def refresh(self, batch: Batch, config: PilotConfig) -> None:
        await self._alone(batch.taskforce_uuid, lambda: None)

    async def exclude(self, batch: Batch, sites: Sequence[str]) -> None:
        await self._alone(batch.taskforce_uuid, lambda: None)

    async def resize(self, batch: Batch, workers: int) -> None:
        def effect() -> None:
            if batch.cluster_id in self._world.batches:
                self._world.batches[batch.cluster_id] = batch._replace(workers=workers)

        await self._alone(batch.taskforce_uuid, effect)

    async def remove(self, batch: Batch, reason: str) -> None:
        await self._alone(batch.taskforce_uuid, lambda: self._world.batches.pop(batch.cluster_id, None))

    async def standings(self) -> AsyncIterator[Standing]:
        raise AssertionError("not asked for")
        yield  # makes it a generator

    async def close(self) -> None:
        raise AssertionError("it is never closed, but killed")

    async def _alone(self, uuid: str, effect: Callable[[], T]) -> T:
        if uuid in self._busy:
            self._world.violations.append(f"two things at once for {uuid}")
        self._busy.add(uuid)
        try:
            return await self._call(effect)
        finally:
            self._busy.discard(uuid)

    def _call(self, effect: Callable[[], T]) -> Awaitable[T]:
        def reachable() -> T:
            if not self._world.backend_is_up:
                raise BackendUnavailable
            return effect()

        return self._world.call(self._generation, reachable, BackendUnavailable)


def new_taskforce(uuid: str, workers: int, priority: int = 0) -> TaskforceDocument:
    """One that is to be submitted."""
    return TaskforceDocument(
        taskforce_uuid=uuid,
        task_id="TD-1",
        workflow_id="WF-1",
        timestamp=0.0,
        priority=priority,
        cluster="here",
        n_workers=None,
        workers=workers,
        worker=WorkerSpec(),
        phase=Phase.PENDING_STARTER,
    )


PILOT = PilotConfig(
    workflow_id="WF-1",
    broker_url="memory://",
    work_queue="w",
    report_queue="r",
    heartbeat_topic="h",
    command_topic="c",
    tasks=(TaskSpec(name="t", command=("true",), input="q"),),
)


def batches_of(world: World, uuid: str) -> list[Batch]:
    """What the backend has of a taskforce."""
    return [batch for batch in world.batches.values() if batch.taskforce_uuid == uuid]

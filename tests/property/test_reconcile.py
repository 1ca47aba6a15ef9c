"""The reconcile loop in a hostile world: whatever is lost, late, repeated or killed, all comes to rest as it should."""

from __future__ import annotations

import asyncio
import enum
import logging
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ewms.core.errors import EwmsError
from ewms.core.service.phases import ENDING, Phase
from ewms.tms.backend import BackendUnavailable
from ewms.tms.cluster import Cluster
from ewms.tms.folder import ClusterFolder
from tests.property.tms_world import Crash, Fate, ModelBackend, ModelService, World, batches_of, new_taskforce

FATES = st.builds(
    lambda number, fate: [Fate.WELL] * number + [fate], st.integers(0, 9), st.sampled_from([*Fate, Fate.LATE, Fate.LATE])
)
"""One mishap in a step, at any of its calls."""
TICKS = st.sampled_from([0, 1, 2, 3, 5, 100])
"""Turns of the event loop; what is under way goes on in the next step, and may end while the backend is asked."""
_MOST_TASKFORCES = 6
_ROUNDS_TO_REST = 40
_MANY_TICKS = 100
_LONG = 60.0
"""Seconds; longer than any rest."""


class Happening(enum.Enum):
    """What people, the service and the backend may do at any time."""

    SUBMIT = enum.auto()
    ABORT = enum.auto()
    FORGET = enum.auto()
    SCALE = enum.auto()
    ADMIN_REMOVES = enum.auto()
    BACKEND_GOES = enum.auto()
    BACKEND_COMES = enum.auto()
    LATE_THINGS_ARRIVE = enum.auto()


class HostileWorld(RuleBasedStateMachine):
    """A TMS that may die at any moment, people who change their mind, and a network that cannot be trusted."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.loop = asyncio.new_event_loop()
        self.scratch = tempfile.TemporaryDirectory()
        self.tasks: list[asyncio.Task[None]] = []
        logging.getLogger("ewms.tms").setLevel(logging.CRITICAL)  # hundreds of thousands of lines
        self.start_tms()

    def start_tms(self) -> None:
        """A new TMS, which knows nothing."""
        self.world.generation += 1
        self.world.dead = False
        self.cluster = Cluster(
            "here",
            ModelBackend(self.world),
            ModelService(self.world),
            ClusterFolder(Path(self.scratch.name)),
            clock=lambda: self.world.now,
        )

    @initialize()
    def begin(self) -> None:
        """Without this, many random histories would hold nothing to work on."""
        for is_bad in (False, False, True):
            self.submit(workers=2, priority=0, is_bad=is_bad)

    @rule(data=st.data(), happening=st.sampled_from(Happening))
    def something_happens(self, data: st.DataObject, happening: Happening) -> None:
        """One rule for all, so that the TMS has its turn in between."""
        uuids = sorted(self.world.taskforces)
        match happening:
            case Happening.SUBMIT if len(uuids) < _MOST_TASKFORCES:
                self.submit(data.draw(st.integers(1, 5)), data.draw(st.integers(0, 200)), data.draw(st.booleans()))
            case Happening.ABORT:
                uuid = data.draw(st.sampled_from(uuids))
                if self.world.taskforces[uuid].phase not in ENDING:
                    self.world.change(uuid, phase=Phase.PENDING_STOPPER)
            case Happening.FORGET:  # the service ends a taskforce without waiting for anybody
                self.world.change(data.draw(st.sampled_from(uuids)), phase=Phase.CONDOR_COMPLETE)
            case Happening.SCALE:
                self.world.change(data.draw(st.sampled_from(uuids)), workers=data.draw(st.integers(1, 5)))
            case Happening.ADMIN_REMOVES if self.world.batches:
                del self.world.batches[data.draw(st.sampled_from(sorted(self.world.batches)))]
            case Happening.BACKEND_GOES:
                self.world.backend_is_up = False
            case Happening.BACKEND_COMES:
                self.world.backend_is_up = True
            case Happening.LATE_THINGS_ARRIVE:
                self.world.arrive()

    def submit(self, workers: int, priority: int, is_bad: bool) -> None:
        """Want one more taskforce."""
        uuid = f"TF-{len(self.world.taskforces)}"
        self.world.taskforces[uuid] = new_taskforce(uuid, workers, priority)
        self.world.revision += 1
        if is_bad:
            self.world.bad.add(uuid)

    @rule(fates=FATES, seconds=st.sampled_from([0.0, 1.0, _LONG, 4000.0]), ticks=TICKS)
    def work_on_old_plan(self, fates: list[Fate], seconds: float, ticks: int) -> None:
        self.world.now += seconds
        self.run(self._compare(ticks), fates)

    @rule(fates=FATES, seconds=st.sampled_from([0.0, 1.0, _LONG]), ticks=TICKS)
    def work_on_new_plan(self, fates: list[Fate], seconds: float, ticks: int) -> None:
        self.world.now += seconds
        self.run(self._work(ticks), fates)

    @invariant()
    def only_what_arrived_late_is_there_twice(self) -> None:
        for uuid in self.world.taskforces:
            assert len(batches_of(self.world, uuid)) <= 1 + self.world.delayed_submissions[uuid]

    @invariant()
    def contract_of_the_backend_is_kept(self) -> None:
        assert not self.world.violations

    def run(self, step: Coroutine[Any, Any, int], fates: list[Fate]) -> int:
        """One step of the TMS; how much it did. If it dies, there is a new one."""
        self.world.fates.clear()
        self.world.fates.extend(fates)
        try:
            return self.loop.run_until_complete(step)
        except Crash:
            self.start_tms()
            return 1

    async def _fetch_plan(self) -> int:
        try:
            await self.cluster.fetch_plan()
        except EwmsError:
            return 1
        return 0

    async def _work(self, ticks: int) -> int:
        return await self._fetch_plan() + await self._compare(ticks)

    async def _compare(self, ticks: int) -> int:
        try:
            begun = await self.cluster.compare()
        except BackendUnavailable:
            return 1
        self.tasks += begun
        for _ in range(ticks):
            await asyncio.sleep(0)
        if self.world.dead:
            raise Crash
        return len(begun)

    async def _end_all(self) -> None:
        self.world.generation += 1
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def teardown(self) -> None:
        """The world calms down, and everything comes to rest as it should."""
        try:
            self.world.backend_is_up = True
            self.world.arrive()
            self.run(self._compare(_MANY_TICKS), [])  # what was under way ends
            for _ in range(_ROUNDS_TO_REST):
                self.world.now += _LONG
                if not self.run(self._work(_MANY_TICKS), []):
                    break
            else:
                raise AssertionError("it does not come to rest")
            self.check_rest()
        finally:
            self.loop.run_until_complete(self._end_all())
            self.loop.close()
            logging.getLogger("ewms.tms").setLevel(logging.NOTSET)
            self.scratch.cleanup()

    def check_rest(self) -> None:
        """Each taskforce is in its right phase, with its one batch or none; nothing else is there."""
        living = 0
        for uuid, taskforce in self.world.taskforces.items():
            assert taskforce.phase in {Phase.CONDOR_SUBMIT, Phase.CONDOR_COMPLETE}
            if taskforce.phase is Phase.CONDOR_SUBMIT:
                living += 1
                assert uuid not in self.world.bad
                (batch,) = batches_of(self.world, uuid)
                assert batch.cluster_id == taskforce.cluster_id
                assert batch.workers == taskforce.workers
        assert len(self.world.batches) == living


TestHostileWorld = HostileWorld.TestCase
TestHostileWorld.settings = settings(max_examples=min(4 * settings().max_examples, 3000))
"""A step takes some tens of microseconds."""

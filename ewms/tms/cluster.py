"""One cluster of a TMS: makes there what the service wants, and tells how it fares."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from ewms.core.errors import EwmsError
from ewms.core.service.report import ClusterReport
from ewms.tms.backend import Backend, BackendRefused, BackendUnavailable, Batch, NotYet
from ewms.tms.folder import ClusterFolder
from ewms.tms.freshness import Freshness
from ewms.tms.hands import Hands
from ewms.tms.housekeeping import Housekeeper
from ewms.tms.patience import Patience, pause_after
from ewms.tms.reconcile import Action, Refresh, reconcile
from ewms.tms.report import Reporter
from ewms.tms.service import Service
from ewms.tms.standings import Standings
from ewms.tms.uploads import Uploads
from ewms.tms.waiting import wait_set
from ewms.tms.wanted import Wanted

_log = logging.getLogger("ewms.tms")

SURVEY_SECONDS = 5.0
"""Between two looks at the backend while nothing else gives a reason for one."""
MAX_ACTIONS = 16
"""Actions under way at the same time."""
SETTLE_SECONDS = 1.5
"""For what is under way when the TMS is told to end."""
_PLAN_GAP = 0.05
"""Between two questions for the plan: changes that come together are answered together."""


class Cluster:
    """Runs until it is told to stop. Whatever it knows may be lost at any moment, and is found out again.

    Parameters
    ----------
    name
        As the service knows it.
    backend
        Entered and left by the caller.
    service
        Connected.
    folder
        Locked by the caller.
    clock
        Monotonic, in seconds.
    """

    def __init__(
        self,
        name: str,
        backend: Backend,
        service: Service,
        folder: ClusterFolder,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._backend = backend
        self._service = service
        self._clock = clock
        self._look = asyncio.Event()
        self._wanted = Wanted()
        self._patience = Patience()
        self._freshness = Freshness()
        self._standings = Standings(service, on_end=self._look.set)
        self._reporter = Reporter(name, service, self._standings, self._wanted)
        self._housekeeper = Housekeeper(folder)
        uploads = Uploads(folder, service.download)
        self._hands = Hands(backend, service, uploads, self._wanted, self._standings.ended)
        self._under_way: dict[str, asyncio.Task[None]] = {}

    @property
    def report(self) -> ClusterReport:
        """How it stands."""
        return self._reporter.report

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then bring to an end what is under way."""
        loops = (
            self._follow_plan(),
            self._compare_for_ever(),
            self._standings.forward(self._backend),
            self._reporter.run(),
            self._housekeeper.run(),
        )
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(loop) for loop in loops]
                await stop.wait()
                for task in tasks:
                    task.cancel()
        finally:
            await self.settle()

    async def settle(self) -> None:
        """Give what is under way a little time, then drop it: the next TMS finds out how it went."""
        if self._under_way:
            _, late = await asyncio.wait(self._under_way.values(), timeout=SETTLE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def fetch_plan(self) -> None:
        """Ask the service what it wants, as soon as that has changed. Raises what `Service.plan` raises."""
        asked = self._wanted.ask()
        plan = await self._service.plan(self._wanted.revision)
        self._wanted.learn(plan, asked)
        self._look.set()

    async def compare(self) -> list[asyncio.Task[None]]:
        """Ask the backend what it has, and begin what is to be done; what was begun.

        Raises `BackendUnavailable`.
        """
        busy = set(self._under_way)  # what ends while the backend is asked may or may not be in its answer
        batches = await self._hands.survey()
        self._reporter.found(batches)
        if self._wanted.revision is None:
            return []
        self._forget_others(batches)
        orders = self._wanted.orders()
        now = self._clock()
        busy |= self._patience.resting({uuid: order.taskforce.phase for uuid, order in orders.items()}, now)
        actions = reconcile(orders, batches, busy=busy, stale=self._freshness.stale(orders, now))
        return [self._begin(action) for action in actions[: MAX_ACTIONS - len(self._under_way)]]

    async def _follow_plan(self) -> None:
        failures = 0
        while True:
            try:
                await self.fetch_plan()
                if failures:
                    _log.info("service_found", extra={"cluster": self._name})
                failures = 0
                await asyncio.sleep(_PLAN_GAP)
            except EwmsError as error:
                failures += 1
                if failures == 1:
                    _log.warning("service_lost", extra={"cluster": self._name, "reason": str(error)})
                await asyncio.sleep(min(pause_after(failures), SURVEY_SECONDS))

    async def _compare_for_ever(self) -> None:
        failures = 0
        while True:
            self._look.clear()
            try:
                await self.compare()
            except BackendUnavailable as error:
                failures += 1
                self._reporter.lost(str(error))
                await asyncio.sleep(min(pause_after(failures), SURVEY_SECONDS))
                continue
            failures = 0
            pause = self._patience.next_end(self._clock())
            await wait_set(self._look, SURVEY_SECONDS if pause is None else min(pause, SURVEY_SECONDS))

    def _begin(self, action: Action) -> asyncio.Task[None]:
        uuid = action.taskforce_uuid
        order = self._wanted.order(uuid)
        phase = None if order is None else order.taskforce.phase
        task = self._under_way[uuid] = asyncio.create_task(self._hands.carry_out(action))

        def settled(task: asyncio.Task[None]) -> None:
            del self._under_way[uuid]
            self._look.set()
            if task.cancelled():
                return
            error = task.exception()
            if error is not None:
                failures = self._patience.failed(uuid, phase, self._clock())
                self._explain(action, error, failures)
                return
            self._patience.succeeded(uuid)
            if isinstance(action, Refresh):
                self._freshness.renewed(uuid, action.excluded_sites, self._clock())

        task.add_done_callback(settled)
        return task

    def _explain(self, action: Action, error: BaseException, failures: int) -> None:
        """Say why an action failed: at length only where this program is to blame, and not each time it is tried again."""
        if isinstance(error, BackendUnavailable) and not isinstance(error, NotYet):
            self._reporter.lost(str(error))
        about = {
            "cluster": self._name,
            "action": type(action).__name__.lower(),
            "taskforce": action.taskforce_uuid,
            "failures": failures,
        }
        if not isinstance(error, EwmsError):
            _log.error("action_failed", extra=about, exc_info=error)
        elif isinstance(error, BackendRefused) or failures == 1:
            _log.warning("action_failed", extra=about | {"reason": str(error)})

    def _forget_others(self, batches: Iterable[Batch]) -> None:
        wanted = self._wanted.taskforces()
        there = {batch.taskforce_uuid for batch in batches}
        self._housekeeper.in_use(wanted, there)
        alive = there | {taskforce.taskforce_uuid for taskforce in wanted}
        self._patience.keep(alive)
        self._freshness.keep(alive)
        self._standings.keep(alive)

"""One pilot: it leases, works, reports and acks until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from functools import partial

from ewms.brokers.base import Broker, Delivery
from ewms.core import ids
from ewms.core.config import PilotConfig
from ewms.core.errors import BrokerError, ConsumerError
from ewms.core.spec import TaskSpec
from ewms.core.wire import PROTOCOL, Command, Heartbeat, Kind
from ewms.pilot.data_hub import DataHub, scratch_folder
from ewms.pilot.drain import CANCELLED, NO_MORE_WORK, Drain, Ending, Exit
from ewms.pilot.executors.base import Surroundings
from ewms.pilot.holding import Holding, ProtocolMismatch
from ewms.pilot.lease import LeaseKeeper
from ewms.pilot.leaser import Leaser
from ewms.pilot.line import Line
from ewms.pilot.reporter import Reporter, Sender
from ewms.pilot.signals import Heart, listen
from ewms.pilot.slot import Slot
from ewms.pilot.spare import Spare

logger = logging.getLogger("ewms.pilot")

SETTLE_SECONDS = 5.0
"""For the last reports and acks, after the time to finish is over."""
_ORPHAN_GRACE = 1.0
_MARGIN_SECONDS = 5.0
_MARGIN_PART = 0.1
_MESSAGES_PER_SLOT = 16
_ENVELOPE_BYTES = 8 * 1024
_SITE_VARIABLE = "GLIDEIN_Site"
"""Set by glideins to the name of the site."""
_VANISHED = "the pilot that had it is gone"
_WAITED = "it waited for a slot that had been quicker before"


async def run_pilot(
    config: PilotConfig,
    broker: Broker,
    *,
    stop: asyncio.Event | None = None,
    on_heartbeat: Callable[[Heartbeat], None] = lambda heartbeat: None,
    spare: Spare | None = None,
) -> int:
    """Be a pilot until it ends.

    Parameters
    ----------
    broker
        Connected; stays open.
    stop
        Set it to have the pilot finish within `config.grace`, give back the rest and end.
    on_heartbeat
        Called with each sign of life.
    spare
        A worker process that is there already.

    Returns
    -------
    int
        The exit code, one of `Exit`.
    """
    pilot = Pilot(config, broker, on_heartbeat, spare)
    ending = await pilot.run(stop or asyncio.Event())
    level = logging.INFO if ending.code is Exit.DRAINED else logging.ERROR
    logger.log(level, "pilot_ended pilot=%s code=%d reason=%s", pilot.id, ending.code, ending.reason)
    return int(ending.code)


class Pilot:
    """Ties the parts together. `run` may be called once."""

    def __init__(
        self, config: PilotConfig, broker: Broker, on_heartbeat: Callable[[Heartbeat], None], spare: Spare | None = None
    ) -> None:
        self.id = ids.pilot_id(os.urandom(6))
        self._config = config
        self._broker = broker
        self._on_heartbeat = on_heartbeat
        self._tasks = {task.name: task for task in config.tasks}
        self._drain = Drain()
        self._keeper = LeaseKeeper(config.lease)
        self._sender = Sender(self.id, socket.gethostname(), os.environ.get(_SITE_VARIABLE, ""))
        self._heart = Heart(broker, config.heartbeat_topic, self._heartbeat, config.heartbeat)
        room = broker.capabilities.max_message_bytes - _ENVELOPE_BYTES
        self._reporter = Reporter(
            broker,
            config.report_queue,
            self._sender,
            room,
            on_settled=self._keeper.release,
            on_lost=self._on_broker_lost,
        )
        scratch = scratch_folder(config.scratch)
        self._data_hub = DataHub(scratch, config.context)
        surroundings = Surroundings(
            tasks=config.tasks,
            search_path=config.search_path,
            working_directory=config.working_directory,
            room=room,
            blob_url=config.blob_url,
            blob_threshold=config.blob_threshold,
            data_hub=self._data_hub.path,
            scratch=scratch,
            spare=spare,
        )
        self._slots = [Slot(surroundings) for _ in range(config.slots)]
        self._idle = list(self._slots)
        self._line = Line(config.slots, partial(self._reporter.give_back, kind=Kind.RETURNED, reason=_WAITED))
        self._jobs: set[asyncio.Task[None]] = set()
        self._quarantine: asyncio.Task[None] | None = None

    async def run(self, stop: asyncio.Event) -> Ending:
        """Work until the drain begins, finish or give back what is held; how and why it ended."""
        timer = self._mind_wall_time()
        try:
            await asyncio.gather(*(slot.start() for slot in self._slots))
            await self._live(stop)
        finally:
            if timer is not None:
                timer.cancel()
            self._drain.close()
            self._line.close()
            await self._reporter.close()
            await asyncio.gather(*(slot.close() for slot in self._slots))
            self._data_hub.remove()
        return self._drain.ending

    async def _live(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:  # an error in any part ends the whole pilot: none dies silently
            background = [group.create_task(self._heart.run()), group.create_task(self._heed(stop))]
            try:
                consumer = await self._broker.consumer(self._config.work_queue)
            except BrokerError as error:
                self._on_broker_lost(error)
            else:
                leaser = Leaser(
                    group,
                    consumer,
                    room=self._room,
                    changed=self._keeper.changed,
                    take=partial(self._begin, group),
                    on_lost=self._on_broker_lost,
                )
                leaser.start()
                obey = partial(self._obey, group, leaser)
                background += [
                    group.create_task(self._keeper.run()),
                    group.create_task(listen(self._broker, self._config.command_topic, self.id, obey)),
                ]
                await self._drain.begun.wait()
                await self._wind_down(leaser)
            for task in background:
                task.cancel()
        await self._heart.change("ended", self._drain.ending.reason)

    def _room(self) -> int:
        """Messages that may be leased: for idle slots and the line, while not too many wait for confirmation."""
        most = _MESSAGES_PER_SLOT * len(self._slots) + 2 * self._line.length
        return min(len(self._idle) + self._line.room, most - len(self._keeper))

    def _begin(self, group: asyncio.TaskGroup, delivery: Delivery) -> None:
        try:
            holding = Holding(delivery)
        except ProtocolMismatch as error:
            self._drain.begin(Ending(Exit.PROTOCOL, str(error), self._config.grace))
            return
        self._keeper.hold(holding)
        task = self._tasks.get(holding.task)
        if holding.protocol != PROTOCOL:
            reason = f"a message of protocol {holding.protocol} came to a pilot of {PROTOCOL}; use one version of ewms"
            self._refuse(holding, Exit.PROTOCOL, reason)
        elif delivery.redelivered:
            logger.warning("message_vanished message=%s", holding.message_id)
            self._reporter.give_back(holding, Kind.VANISHED, _VANISHED)
        elif task is None:
            self._refuse(holding, Exit.BROKEN, f"task '{holding.task}' is none of this pilot's; restart the pilots")
        else:
            if not holding.ahead:
                self._line.heed(holding)
            if not self._idle:
                self._line.add(holding)
                return
            job = group.create_task(self._work(self._idle.pop(), holding))
            self._jobs.add(job)
            job.add_done_callback(self._jobs.discard)

    async def _work(self, slot: Slot, first: Holding) -> None:
        """Work on a message, and on those in the line while no drain has begun."""
        holding: Holding | None = first
        try:
            while holding is not None:
                await self._work_on(slot, self._tasks[holding.task], holding)
                self._line.heed(holding)  # not before: the first message may find a worker that is still starting
                self._keeper.changed.set()
                holding = None if self._drain.begun.is_set() else self._line.next()
        finally:
            self._idle.append(slot)
            self._keeper.changed.set()

    async def _work_on(self, slot: Slot, task: TaskSpec, holding: Holding) -> None:
        if holding.is_retry:
            # It may take this pilot down: what came of events before it must not go with it, and be blamed.
            await self._reporter.settled(SETTLE_SECONDS)
        try:
            await slot.work(task, holding, partial(self._reporter.add, holding))
        except ConsumerError as error:
            self._refuse(holding, Exit.BROKEN, f"task '{task.name}': {error}")

    def _refuse(self, holding: Holding, code: Exit, reason: str) -> None:
        """Give a message back, and end: the next one would fare no better."""
        self._reporter.give_back(holding, Kind.RETURNED, reason)
        self._drain.begin(Ending(code, reason, self._config.grace))

    async def _wind_down(self, leaser: Leaser) -> None:
        """Lease no more, let the jobs run while there is time, then give back what is left of them."""
        if self._quarantine is not None:
            self._quarantine.cancel()
        await self._heart.change("draining", self._drain.ending.reason)
        await leaser.close()
        over = asyncio.create_task(self._drain.over.wait())
        while self._jobs and not over.done():
            await asyncio.wait({*self._jobs, over}, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        jobs = list(self._jobs)
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        if not self._drain.ending.gives_back:
            return
        for holding in self._keeper.holdings:
            self._reporter.give_back(holding, Kind.RETURNED, f"the pilot drained: {self._drain.ending.reason}")
        if not await self._reporter.settled(SETTLE_SECONDS):
            self._drain.begin(Ending(Exit.BROKER_LOST, "the last reports were not confirmed", gives_back=False))

    def _obey(self, group: asyncio.TaskGroup, leaser: Leaser, command: Command) -> None:
        match command.action:
            case "cancel":
                self._drain.begin(CANCELLED)
            case "end":
                self._drain.begin(NO_MORE_WORK)
            case "quarantine" if not self._drain.begun.is_set():
                if self._quarantine is not None:
                    self._quarantine.cancel()
                self._quarantine = group.create_task(self._be_quiet(leaser, command.seconds))
            case unknown:
                logger.warning("command_unknown action=%s", unknown)

    async def _be_quiet(self, leaser: Leaser, seconds: float) -> None:
        """Keep the slots, so that nobody else's work goes there, but take nothing for a while."""
        leaser.stop()
        self._line.clear()
        await self._heart.change("quarantined", f"told to be quiet for {seconds:g} s")
        await asyncio.sleep(seconds)
        leaser.start()
        await self._heart.change("running")

    async def _heed(self, stop: asyncio.Event) -> None:
        await stop.wait()
        if self._config.parent is not None and os.getppid() != self._config.parent:
            self._drain.begin(Ending(Exit.DRAINED, "the process it belongs to is gone", _ORPHAN_GRACE, gives_back=False))
        else:
            self._drain.begin(Ending(Exit.DRAINED, "it was told to stop", self._config.grace))

    def _mind_wall_time(self) -> asyncio.TimerHandle | None:
        wall_time, grace = self._config.wall_time, self._config.grace
        if wall_time is None:
            return None
        margin = min(_MARGIN_SECONDS, _MARGIN_PART * wall_time)
        ending = Ending(Exit.DRAINED, "its wall time is nearly over", grace)
        return asyncio.get_running_loop().call_later(max(0.0, wall_time - grace - margin), self._drain.begin, ending)

    def _on_broker_lost(self, error: BrokerError) -> None:
        self._drain.begin(Ending(Exit.BROKER_LOST, str(error), gives_back=False))

    def _heartbeat(self, state: str, reason: str) -> Heartbeat:
        heartbeat = Heartbeat(
            pilot=self.id,
            host=self._sender.host,
            site=self._sender.site,
            slots=len(self._slots),
            holds=[holding.message_id for holding in self._keeper.holdings],
            done=self._reporter.done,
            failed=self._reporter.failed,
            state=state,
            reason=reason,
        )
        self._on_heartbeat(heartbeat)
        return heartbeat

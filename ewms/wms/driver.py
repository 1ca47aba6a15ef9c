"""The loop behind every workflow: sends events, accepts outcomes, keeps the journal. The I/O around a `Ledger`."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import functools
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

import msgspec

from ewms.brokers.base import Broker, Consumer, Delivery
from ewms.core import wire
from ewms.core.errors import WorkflowFailed
from ewms.wms.egress import Egress
from ewms.wms.feed import Feed, MakeFeed, SourceFeed
from ewms.wms.fleet import Fleet
from ewms.wms.ledger import Ledger
from ewms.wms.outbox import OutMessage
from ewms.wms.references import screened
from ewms.wms.routing import NewEvent

P = ParamSpec("P")
T = TypeVar("T")

_log = logging.getLogger("ewms.driver")
_REPORTS_AT_ONCE = 256
_REPORTS_WAITING = 1024
TICK = 0.25
"""Seconds between two looks, for a driver that has a process to itself."""
_PUBLISH_AT_ONCE = 256
_GROUPS_AT_ONCE = 4
_QUARANTINE = 600.0


class Stop(enum.Enum):
    """Why a driver ends before its workflow is complete."""

    INTERRUPTED = "interrupted"
    """Somebody wants to go on later: pilots give back what they hold."""
    CANCELLED = "cancelled"
    """Nobody wants it any more: what runs is killed."""
    RELEASED = "released"
    """Another driver goes on at once: pilots keep what they hold."""


class Queues(msgspec.Struct, frozen=True):
    """The broker's names for one workflow's channels."""

    work: str
    """Events for pilots."""
    reports: str
    """Outcomes for the driver."""
    heartbeats: str
    """Topic of the pilots' signs of life."""
    commands: str
    """Topic of the driver's words to pilots."""

    @classmethod
    def of(cls, workflow_id: str) -> Queues:
        """The names for a workflow; unique because its id is."""
        return cls(*(f"{workflow_id}-{channel}" for channel in ("work", "reports", "heartbeats", "commands")))


class Driver:
    """Drives one workflow until it is complete, stopped or failed.

    Parameters
    ----------
    ledger
        Decides; used in the driver's own thread only.
    broker
        Connected.
    queues
        Names of the workflow's channels.
    lease
        Seconds after which the loss of a pilot is noticed.
    pilots_survive
        Whether pilots outlive a driver, so that messages which a former one sent may still be worked on.
    on_change
        Called in the event loop after every step.
    make_feed
        Makes the feed of events from the application's source, given what wakes the driver.
    egress
        Publishes outputs to the outside.
    tick
        Seconds between two looks at what may have changed by time alone.
    """

    def __init__(
        self,
        ledger: Ledger,
        broker: Broker,
        queues: Queues,
        *,
        lease: float,
        pilots_survive: bool = False,
        on_change: Callable[[], None] = lambda: None,
        make_feed: MakeFeed = SourceFeed,
        egress: Egress | None = None,
        tick: float = TICK,
    ) -> None:
        self.ledger = ledger
        self.fleet = Fleet()
        self.first_outcome_at: float | None = None
        """When the first outcome was accepted, on the monotonic clock."""
        self.ready = asyncio.Event()
        """Set when the queues exist, so that pilots can start."""
        self._broker = broker
        self._queues = queues
        self._lease = lease
        self._pilots_survive = pilots_survive
        self._on_change = on_change
        self._egress = egress
        self._tick = tick
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ewms-ledger")
        self._wake = asyncio.Event()
        self._feed: Feed = make_feed(ledger.host.source(ledger.source_count), self._waker())
        self._taken = asyncio.Event()
        self._deliveries: list[Delivery] = []
        self._confirmed: list[OutMessage] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(_GROUPS_AT_ONCE)
        self._error: BaseException | None = None
        self._stop: Stop | None = None
        self._is_paused = False
        self._pause_wished = False
        self._pilots_gone = False
        self._drained = False
        self._quiet_since = time.monotonic()
        self._suspicious = False

    def stop(self, how: Stop) -> None:
        """Send nothing more. An interrupted driver goes on accepting until `pilots_gone` is called; others end."""
        self._stop = self._stop or how
        self._wake.set()

    def pause(self, wished: bool = True) -> None:
        """Send nothing more until further notice, and take back what no pilot has yet; or go on."""
        self._pause_wished = wished
        self._wake.set()

    def finish(self) -> None:
        """Take no more from the source than what is there; be complete when that is done."""
        self._feed.finish()

    def pilots_gone(self) -> None:
        """No pilot will report any more: take the reports that are there, then end."""
        self._pilots_gone = True

    async def run(self) -> Stop | None:
        """Drive until complete (None) or stopped; raises `EwmsError` when the workflow cannot go on."""
        consumer: Consumer | None = None
        try:
            consumer = await self._open()
            self._spawn(self._read_signals())
            await self._in_thread(self.ledger.fold)
            await self._in_thread(self._feed.restore, self.ledger)
            if self._egress is not None:
                await self._in_thread(self._egress.restore, self.ledger)
                self._spawn(self._egress.run(self._broker, self._waker()))
            await self._catch_up(consumer)
            self._spawn(self._read_reports(consumer))
            self.ready.set()
            if not self.ledger.source_done:
                self._feed.start()
            return await self._loop()
        finally:
            await self._feed.close()
            while running := [task for task in self._tasks if not task.done()]:
                for task in running:
                    task.cancel()
                # Before Python 3.12 `wait_for` swallows a cancellation that comes as it ends, so once may not be enough.
                await asyncio.wait(running, timeout=self._tick)
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if consumer is not None:
                await consumer.close()
            self._thread.shutdown(wait=True)

    async def command(self, action: str, *, pilot: str = "", seconds: float = 0.0) -> None:
        """Tell pilots something; whoever does not hear it finds out otherwise."""
        signal = wire.Command(action=action, pilot=pilot, seconds=seconds)
        await self._broker.signal(self._queues.commands, wire.encode(signal))

    async def delete_queues(self) -> None:
        """Leave nothing at the broker."""
        await self._broker.delete(self._queues.work)
        await self._broker.delete(self._queues.reports)

    async def _open(self) -> Consumer:
        identity, _ = await asyncio.gather(
            self._broker.declare(self._queues.work, self._lease), self._broker.declare(self._queues.reports, self._lease)
        )
        if await self._in_thread(self.ledger.adopt_stream, identity, kept=self._pilots_survive):
            await self._in_thread(self.ledger.restore)
        else:
            # Whoever had these messages is gone, or they are: everything unfinished is sent anew.
            await self._broker.purge(self._queues.work)
        return await self._broker.consumer(self._queues.reports)

    async def _catch_up(self, consumer: Consumer) -> None:
        """Accept what was reported while no driver was there, before anything is sent a second time."""
        while self.ledger.journal.epoch > 1 and (deliveries := await consumer.lease(_REPORTS_AT_ONCE, TICK)):
            await self._in_thread(self._take, [delivery.body for delivery in deliveries], None, [], time.monotonic())
            await self._committed(deliveries)

    async def _loop(self) -> Stop | None:
        while True:
            if self._error is not None:
                raise self._error
            if self._stop in {Stop.CANCELLED, Stop.RELEASED}:
                return self._stop
            if self._pause_wished is not self._is_paused:
                await self._pause_or_go_on()
            deliveries, self._deliveries = self._deliveries, []
            confirmed, self._confirmed = self._confirmed, []
            self._taken.set()
            chunk = self._feed.take() if self.ledger.wants_source and self._sends else None
            messages = await self._in_thread(self._step, [delivery.body for delivery in deliveries], chunk, confirmed)
            await self._committed(deliveries)
            for start in range(0, len(messages), _PUBLISH_AT_ONCE):
                await self._places.acquire()
                self._spawn(self._publish(messages[start : start + _PUBLISH_AT_ONCE]))
            await self._after(bool(deliveries))
            if self._egress is None or self._egress.is_idle:
                if self.ledger.complete:
                    return None
                if self._stop is not None and self._drained and not self._deliveries:
                    return self._stop
            await self._sleep()

    @property
    def _sends(self) -> bool:
        return self._stop is None and not self._is_paused

    def _step(
        self, bodies: list[bytes], chunk: tuple[list[NewEvent], bool] | None, sent: list[OutMessage]
    ) -> list[OutMessage]:
        now = time.monotonic()
        self._take(bodies, chunk, sent, now)
        if not self._sends:
            return []
        self.ledger.reload(now)
        return self.ledger.form(now)

    def _take(
        self, bodies: list[bytes], chunk: tuple[list[NewEvent], bool] | None, sent: list[OutMessage], now: float
    ) -> None:
        for message in sent:
            self.ledger.mark_sent(message)
        for body in bodies:
            for report in screened(body, _decode_reports(body), self.ledger.host.store):
                self.ledger.take_report(report, now)
        if chunk is not None:
            events, done = chunk
            self.ledger.take_source(events, done=done)
        self._feed.remember(self.ledger)
        if self._egress is not None:
            self._egress.remember(self.ledger)
        self.ledger.commit()

    async def _committed(self, deliveries: list[Delivery]) -> None:
        self._feed.committed()
        if self._egress is not None:
            self._egress.committed()
        for delivery in deliveries:
            await delivery.ack()

    async def _pause_or_go_on(self) -> None:
        self._is_paused = self._pause_wished
        if self._is_paused:
            await self._broker.purge(self._queues.work)
        else:
            # What pilots held meanwhile is either reported or with them: a second copy costs time, never correctness.
            await self._in_thread(self.ledger.resend)

    async def _after(self, reported: bool) -> None:
        now = time.monotonic()
        if self.first_outcome_at is None and self.ledger.counters.accepted:
            self.first_outcome_at = now
        if reported or self._is_paused or not self.ledger.outbox.flights:
            self._quiet_since, self._suspicious = now, False
        elif now - self._quiet_since > self._lease:
            self._quiet_since = now
            await self._audit()
        for pilot in self.ledger.health.condemned():
            _log.warning("pilot_quarantined", extra={"pilot": pilot})
            await self.command("quarantine", pilot=pilot, seconds=_QUARANTINE)
        self._on_change()

    async def _audit(self) -> None:
        """Nothing was heard for a lease: make sure that the broker still holds what is out.

        Only a second look in a row counts, because a report may have been on its way during the first.
        """
        if not self._broker.capabilities.tells_depth:
            return
        work = await self._broker.depth(self._queues.work)
        reports = await self._broker.depth(self._queues.reports)
        if work.ready or work.leased or reports.ready or reports.leased:
            self._suspicious = False
        elif self._suspicious:
            _log.warning("messages_lost_by_broker", extra={"messages": len(self.ledger.outbox.flights)})
            await self._in_thread(self.ledger.resend)
        else:
            self._suspicious = True

    async def _sleep(self) -> None:
        timeout = self._tick
        due = self.ledger.outbox.next_due
        if due is not None:
            timeout = min(timeout, max(0.0, due - time.monotonic()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._wake.wait()
        self._wake.clear()

    async def _publish(self, messages: list[OutMessage]) -> None:
        try:
            await self._broker.publish_all(self._queues.work, messages)
        finally:
            self._places.release()
        self._confirmed += messages

    async def _read_reports(self, consumer: Consumer) -> None:
        while True:
            deliveries = await consumer.lease(_REPORTS_AT_ONCE, self._tick)
            if deliveries:
                self._deliveries.extend(deliveries)
                self._wake.set()
            elif self._pilots_gone:
                self._drained = True
                self._wake.set()
            while len(self._deliveries) > _REPORTS_WAITING or (self._egress is not None and self._egress.is_full):
                self._taken.clear()
                await self._taken.wait()

    async def _read_signals(self) -> None:
        async with self._broker.signals(self._queues.heartbeats) as signals:
            await self._hear(signals)

    async def _hear(self, signals: AsyncIterator[bytes]) -> None:
        async for body in signals:
            try:
                signal = wire.decode_signal(body)
            except msgspec.MsgspecError:
                _log.warning("signal_unreadable", extra={"bytes": len(body)})
                continue
            if isinstance(signal, wire.Heartbeat):
                self.fleet.hear(signal, time.monotonic())
                for message_id in signal.holds:
                    if message_id in self.ledger.outbox.flights:
                        self.ledger.holders[message_id] = (signal.pilot, signal.host)

    def _waker(self) -> Callable[[], object]:
        """Wakes the driver from any thread."""
        return functools.partial(asyncio.get_running_loop().call_soon_threadsafe, self._wake.set)

    async def _in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        bound = functools.partial(call, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._thread, bound)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._error = self._error or error
            self._wake.set()


def _decode_reports(body: bytes) -> list[wire.Report]:
    try:
        reports = wire.decode_reports(body)
    except msgspec.MsgspecError as error:
        raise WorkflowFailed(f"a pilot's report cannot be read ({error}); are all pilots of this version?") from error
    for report in reports:
        if report.protocol != wire.PROTOCOL:
            raise WorkflowFailed(
                f"pilot {report.pilot} on {report.host} speaks protocol {report.protocol}, the driver {wire.PROTOCOL}: "
                "give the pilots the driver's version and run `ewms resume`"
            )
    return reports

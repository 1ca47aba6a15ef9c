"""A pilot without a driver: an EWMS task image between queues of others, configured by the environment alone."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from contextlib import AsyncExitStack, suppress

from ewms.brokers.base import Broker
from ewms.brokers.urls import broker_for
from ewms.core.config import PilotConfig
from ewms.core.wire import Failure, Heartbeat
from ewms.pilot.chirp import Chirper
from ewms.pilot.drain import Exit
from ewms.pilot.environment import Queue, Settings
from ewms.pilot.pilot import run_pilot
from ewms.pilot.plain import PlainBroker, PlainQueue

logger = logging.getLogger("ewms.pilot.standalone")

TASK_FAILED = 1
"""Exit code after a failed event where that is to end the pilot."""
_LOOK_SECONDS = 0.25
_EXCEPTION = re.compile(r"(?:exit code \d+: )?(?:\w+\.)*(\w+)(?::|$)")


class Standalone:
    """Runs one pilot. `run` may be called once.

    Parameters
    ----------
    stop
        Set it to have the pilot finish and end.
    grace
        Seconds that it may take to finish then.
    """

    def __init__(self, settings: Settings, stop: asyncio.Event, grace: float = 10.0) -> None:
        self._settings = settings
        self._grace = grace
        self._stop = stop
        self._chirper = Chirper(to_log=settings.chirps_to_log, interval=settings.chirp_interval) if settings.chirps else None
        self._status = ""
        self._error = ""

    async def run(self) -> int:
        """Work until told to stop, or until one of the settings says so; the exit code."""
        self._tell("RunningInitCommand" if self._has_init else "Started", StartedTimestamp=int(time.time()))
        code = int(Exit.BROKER_LOST)
        try:
            code = await self._serve()
        finally:
            await self._say_goodbye(code)
        if code:
            await self._be_quarantined()
        return code

    @property
    def _has_init(self) -> bool:
        container = self._settings.task.container
        return container is not None and container.init is not None

    async def _serve(self) -> int:
        settings, end = self._settings, asyncio.Event()
        async with AsyncExitStack() as stack:
            brokers: dict[str, Broker] = {}
            for url in {queue.broker_url for queue in (*settings.incoming, *settings.outgoing)}:
                brokers[url] = await stack.enter_async_context(broker_for(url))
            plain = PlainBroker(
                settings.task,
                _plain(settings.incoming, brokers),
                _plain(settings.outgoing, brokers),
                on_heartbeat=lambda heartbeat: self._on_heartbeat(heartbeat, plain),
                on_failure=lambda failure, is_last: self._on_failure(failure, is_last, end),
            )
            await plain.connect()
            watch = asyncio.create_task(self._watch(plain, end))
            try:
                code = await run_pilot(_config(settings, self._grace), plain, stop=end)
            finally:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)
        return code or (TASK_FAILED if self._error else 0)

    async def _watch(self, plain: PlainBroker, end: asyncio.Event) -> None:
        """End the pilot when it is told to, or has waited long enough for an event."""
        while not end.is_set():
            if plain.is_used:
                patience = self._settings.idle_patience
                self._tell("Tasking")
            else:
                patience = self._settings.first_message_patience
                self._tell("AwaitingFirstMessage")
            if self._stop.is_set() or (patience is not None and plain.idle_seconds >= patience):
                end.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._stop.wait()

    def _on_heartbeat(self, heartbeat: Heartbeat, plain: PlainBroker) -> None:
        if self._chirper is not None:
            self._chirper.counts(plain.done + plain.failed, plain.failed)
        if heartbeat.state == "draining" and heartbeat.holds:
            self._tell("PendingRemainingTasks")

    def _on_failure(self, failure: Failure, is_last: bool, end: asyncio.Event) -> None:
        what = "event_buried" if is_last else "event_failed"
        logger.warning("%s event=%s attempt=%d reason=%s", what, failure.id, failure.attempt, failure.reason)
        if is_last and self._settings.stop_on_error and not is_okay(failure, self._settings.okay_errors):
            self._error = self._error or f"event {failure.id}: {failure.reason}"
            end.set()

    def _tell(self, status: str, **further: str | int | float) -> None:
        if status != self._status:
            self._status = status
            logger.info("pilot_status status=%s", status)
            if self._chirper is not None:
                self._chirper.status(status, **further)

    async def _say_goodbye(self, code: int) -> None:
        status = "FatalError" if code else "Done"
        logger.info("pilot_status status=%s", status)
        if self._chirper is not None:
            further = {"Error": self._error or f"exit code {code}"} if code else {}
            await self._chirper.close(status, **further)

    async def _be_quarantined(self) -> None:
        """Keep the slot, so that nobody's events fail on a bad machine, unless told to go."""
        if self._settings.quarantine:
            logger.warning("pilot_quarantined seconds=%g", self._settings.quarantine)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.quarantine):
                    await self._stop.wait()


def is_okay(failure: Failure, names: frozenset[str]) -> bool:
    """Whether a failure is by one of these exceptions; a timeout goes by the name of `TimeoutError`, as in EWMS."""
    if failure.detail.get("type") == "timeout":
        return "TimeoutError" in names
    match = _EXCEPTION.match(failure.reason)
    return match is not None and match[1] in names


def _plain(queues: tuple[Queue, ...], brokers: dict[str, Broker]) -> list[PlainQueue]:
    return [PlainQueue(brokers[queue.broker_url], queue.name) for queue in queues]


def _config(settings: Settings, grace: float) -> PilotConfig:
    return PilotConfig(
        workflow_id="",
        broker_url="",
        work_queue="incoming",
        report_queue="outgoing",
        heartbeat_topic="heartbeats",
        command_topic="commands",
        tasks=(settings.task,),
        slots=settings.slots,
        scratch=settings.scratch,
        grace=grace,
    )

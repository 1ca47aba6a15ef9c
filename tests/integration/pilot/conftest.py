"""A pilot in this process, with real workers, between a broker that remembers what was done and a reader of reports."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from ewms.brokers.base import Broker, Capabilities, Consumer, Delivery, Depth, Inspection
from ewms.brokers.memory import MemoryBroker
from ewms.core import codecs, wire
from ewms.core.codecs import Payload
from ewms.core.config import PilotConfig
from ewms.core.errors import BrokerError, BrokerUnavailable
from ewms.core.spec import TaskSpec
from ewms.core.wire import PROTOCOL, Command, Failure, Heartbeat, Result, WorkEvent, WorkMessage
from ewms.pilot.pilot import run_pilot

CONSUMERS = Path(__file__).parent / "consumers"
WORK, REPORTS, SIGNALS = "work", "reports", "signals"
PATIENCE = 20.0
_SHARED = frozenset({"rabbitmq-server"})
"""Seconds after which a test gives up waiting."""


class RecordingDelivery(Delivery):
    """Notes renewals and acks."""

    def __init__(self, inner: Delivery, queue: str, log: list[tuple[str, str]]) -> None:
        self._inner = inner
        self._queue = queue
        self._log = log
        self.body = inner.body
        self.redelivered = inner.redelivered

    async def renew(self) -> None:
        self._log.append(("renew", self._queue))
        await self._inner.renew()

    async def ack(self) -> None:
        self._log.append(("ack", self._queue))
        await self._inner.ack()


class RecordingConsumer(Consumer):
    """Hands out deliveries that take notes."""

    def __init__(self, inner: Consumer, queue: str, broker: RecordingBroker) -> None:
        self._inner = inner
        self._queue = queue
        self._broker = broker

    async def lease(self, count: int, wait: float) -> list[Delivery]:
        self._broker.log.append(("lease", str(count)))
        leased = asyncio.create_task(self._inner.lease(count, wait))
        gone = asyncio.create_task(self._broker.gone.wait())
        try:
            await asyncio.wait({leased, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                raise BrokerUnavailable("no broker answers at memory://")
            return [RecordingDelivery(delivery, self._queue, self._broker.log) for delivery in leased.result()]
        finally:
            leased.cancel()
            gone.cancel()

    async def close(self) -> None:
        await self._inner.close()


class RecordingBroker(Broker):
    """The memory broker with a log of what happened in order, and with faults on demand."""

    def __init__(self) -> None:
        self.inner = MemoryBroker("memory://", max_message_bytes=1 << 20)
        self.log: list[tuple[str, str]] = []
        self.refusal: BrokerError | None = None
        """Raised by `publish` where set."""
        self.gate = asyncio.Event()
        """Publishing waits for it."""
        self.gate.set()
        self.gone = asyncio.Event()
        """Leasing fails once it is set."""

    async def connect(self) -> None:
        await self.inner.connect()
        self.capabilities: Capabilities = self.inner.capabilities

    async def close(self) -> None:
        await self.inner.close()

    async def declare(self, queue: str, lease: float) -> str:
        return await self.inner.declare(queue, lease)

    async def delete(self, queue: str) -> None:
        await self.inner.delete(queue)

    async def purge(self, queue: str) -> None:
        await self.inner.purge(queue)

    async def depth(self, queue: str) -> Depth:
        return await self.inner.depth(queue)

    async def inspect(self, queue: str) -> Inspection:
        return await self.inner.inspect(queue)

    async def publish(self, queue: str, body: bytes, message_id: str) -> None:
        await self.gate.wait()
        if self.refusal is not None:
            raise self.refusal
        await self.inner.publish(queue, body, message_id)
        self.log.append(("publish", queue))

    async def consumer(self, queue: str) -> Consumer:
        return RecordingConsumer(await self.inner.consumer(queue), queue, self)

    async def signal(self, topic: str, body: bytes) -> None:
        await self.inner.signal(topic, body)

    def signals(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        return self.inner.signals(topic)


class Rig:
    """A pilot with its surroundings; the other side of the queues is the test."""

    def __init__(self, broker: RecordingBroker, lease: float) -> None:
        self.broker = broker
        self.lease = lease
        self.stop = asyncio.Event()
        self.heartbeats: list[Heartbeat] = []
        self.reports: list[wire.Report] = []
        self._pilots: list[asyncio.Task[int]] = []
        self._numbers = itertools.count()

    async def send(
        self, *bodies: Any, task: str = "t", protocol: int = PROTOCOL, singly: bool = False, ahead: int = 0
    ) -> list[str]:
        """Publish one message with these bodies, or one each; the ids of the events."""
        payloads = [codecs.encode(body) for body in bodies]
        return await self.send_encoded(*payloads, task=task, protocol=protocol, singly=singly, ahead=ahead)

    async def send_encoded(
        self, *payloads: Payload, task: str = "t", protocol: int = PROTOCOL, singly: bool = False, ahead: int = 0
    ) -> list[str]:
        """The same for bodies that are encoded already."""
        events = [WorkEvent(f"e{next(self._numbers)}", *payload, headers={"from": "test"}) for payload in payloads]
        for bundle in [[event] for event in events] if singly else [events]:
            message = WorkMessage(protocol, f"m-{bundle[0].id}", task, copy=False, events=bundle, ahead=ahead)
            await self.broker.inner.publish(WORK, wire.encode(message), message.message_id)
        return [event.id for event in events]

    def start(self, *tasks: TaskSpec, **settings: Any) -> asyncio.Task[int]:
        """Start a pilot for these tasks."""
        given = {"lease": self.lease, "heartbeat": 0.2, "grace": 5.0, "search_path": (str(CONSUMERS),)} | settings
        config = PilotConfig(
            workflow_id="WF-test",
            broker_url="memory://",
            work_queue=WORK,
            report_queue=REPORTS,
            heartbeat_topic=SIGNALS,
            command_topic=SIGNALS,
            tasks=tasks,
            **given,
        )
        self._pilots.append(asyncio.create_task(run_pilot(config, self.broker, stop=self.stop)))
        return self._pilots[-1]

    async def outcomes(self, count: int, within: float = PATIENCE) -> dict[str, Result | Failure]:
        """Read reports until they cover that many events; fails on a second outcome of one event."""
        outcomes: dict[str, Result | Failure] = {}
        async with await self.broker.inner.consumer(REPORTS) as consumer, asyncio.timeout(within):
            while len(outcomes) < count:
                for delivery in await consumer.lease(100, 1.0):
                    for report in wire.decode_reports(delivery.body):
                        self.reports.append(report)
                        results = wire.decode_results(wire.encode(report.results))
                        reported: list[Result | Failure] = [*results, *report.failures]
                        for outcome in reported:
                            assert outcome.id not in outcomes
                            outcomes[outcome.id] = outcome
                    await delivery.ack()
        assert len(outcomes) == count
        return outcomes

    async def run(self, task: TaskSpec, *bodies: Any, **settings: Any) -> list[Any]:
        """What came of these bodies, sent as one message, in their order: values, or failures."""
        ids = await self.send(*bodies, task=task.name)
        self.start(task, **settings)
        return await self.values(ids)

    async def values(self, ids: list[str]) -> list[Any]:
        """What came of these events, in that order."""
        outcomes = await self.outcomes(len(ids))
        return [value_of(outcomes[event_id]) for event_id in ids]

    async def command(self, action: str, **fields: Any) -> None:
        """Tell the pilots."""
        await self.broker.signal(SIGNALS, wire.encode(Command(action=action, **fields)))

    async def until(self, condition: Callable[[], bool], within: float = PATIENCE) -> None:
        """Wait for something to become true."""
        end = time.monotonic() + within
        while not condition():
            assert time.monotonic() < end, "it did not happen in time"
            await asyncio.sleep(0.01)

    async def settled(self) -> None:
        """Wait until the pilot has acked everything."""
        end = time.monotonic() + PATIENCE
        while (depth := await self.broker.depth(WORK)) != Depth(0, 0):
            assert time.monotonic() < end, f"still {depth}"
            await asyncio.sleep(0.01)

    async def end(self) -> int:
        """Stop the pilot; its exit code."""
        self.stop.set()
        return await self._pilots[-1]

    @staticmethod
    def is_running(pid: int) -> bool:
        """Whether a process exists and is no zombie."""
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    @staticmethod
    def children() -> dict[int, str]:
        """Names of this process's children by their pids, but for servers that tests share."""
        names = {}
        for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            with suppress(OSError):
                name = Path(f"/proc/{pid}/comm").read_text().strip()
                if name not in _SHARED:
                    names[int(pid)] = name
        return names

    @property
    def states(self) -> list[str]:
        """The states that heartbeats told of, without repetitions."""
        return [state for state, _ in itertools.groupby(heartbeat.state for heartbeat in self.heartbeats)]

    async def close(self) -> None:
        self.broker.gate.set()
        self.stop.set()
        for pilot in self._pilots:
            with suppress(BaseExceptionGroup):
                await pilot

    async def listen(self, ready: asyncio.Event) -> None:
        async with self.broker.signals(SIGNALS) as stream:
            ready.set()
            async for body in stream:
                signal = wire.decode_signal(body)
                if isinstance(signal, Heartbeat):
                    self.heartbeats.append(signal)


def value_of(outcome: Result | Failure) -> Any:
    """A failure itself; of a result nothing, its value, or a list of what was yielded."""
    if isinstance(outcome, Failure):
        return outcome
    values = [codecs.decode(output.codec, output.data) for output in outcome.outputs]
    if outcome.many:
        return values
    return values[0] if values else None


@asynccontextmanager
async def open_rig(lease: float) -> AsyncIterator[Rig]:
    async with RecordingBroker() as broker:
        for queue in (WORK, REPORTS):
            await broker.declare(queue, lease)
        rig = Rig(broker, lease)
        ready = asyncio.Event()
        listener = asyncio.create_task(rig.listen(ready))
        await ready.wait()
        try:
            yield rig
        finally:
            await rig.close()
            listener.cancel()
            with suppress(asyncio.CancelledError):
                await listener


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """A pilot's surroundings with leases that no test outlasts."""
    async with open_rig(lease=60.0) as rig:
        yield rig


@pytest.fixture
async def hasty_rig() -> AsyncIterator[Rig]:
    """The same with leases of less than a second."""
    async with open_rig(lease=0.8) as rig:
        yield rig


@pytest.fixture
def python_task() -> Callable[..., TaskSpec]:
    """Makes a task of a consumer."""

    def make(python: str, **fields: Any) -> TaskSpec:
        return TaskSpec(**{"name": "t", "python": python, "input": "in", "output": ("out",)} | fields)

    return make


@pytest.fixture
def command_task() -> Callable[..., TaskSpec]:
    """Makes a task of a command."""

    def make(*command: str, **fields: Any) -> TaskSpec:
        return TaskSpec(**{"name": "t", "command": command, "input": "in", "output": ("out",)} | fields)

    return make

"""Messages of public queues become events, each one event, wherever a driver dies."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ewms.blobs import BlobStore
from ewms.brokers.base import Consumer, Delivery
from ewms.brokers.memory import MemoryBroker
from ewms.core.errors import BrokerUnavailable
from ewms.local.workflow import Events
from ewms.stores.sqlite import SqliteJournal
from ewms.wms.hosting import Host
from ewms.wms.ingest import PublicFeed
from ewms.wms.ledger import Ledger

from .desk import graph_of

QUEUE = "QU-1"
LEASE = 0.5


class Nameless(Delivery):
    """A message without an id, of a broker that has no name for it either."""

    def __init__(self, inner: Delivery, sequence: str) -> None:
        self.inner, self.body, self.redelivered = inner, inner.body, inner.redelivered
        self._sequence = sequence

    @property
    def sequence(self) -> str:
        return self._sequence

    async def renew(self) -> None:
        await self.inner.renew()

    async def ack(self) -> None:
        await self.inner.ack()


class NamelessConsumer(Consumer):
    def __init__(self, inner: Consumer, *, counts: bool) -> None:
        self.inner, self.counts = inner, counts

    async def lease(self, count: int, wait: float) -> list[Delivery]:
        found = await self.inner.lease(count, wait)
        return [Nameless(one, one.message_id.removeprefix("m-") if self.counts else "") for one in found]

    async def close(self) -> None:
        await self.inner.close()


class PlainBroker(MemoryBroker):
    """Its messages come without ids; with numbers, or without these too."""

    counts = False

    async def consumer(self, queue: str) -> Consumer:
        return NamelessConsumer(await super().consumer(queue), counts=self.counts)


class Driver:
    """The parts of a driver that a feed meets, one step at a time."""

    def __init__(self, folder: Path, broker: MemoryBroker) -> None:
        graph = graph_of()
        self.journal = SqliteJournal(folder / "journal.sqlite")
        self.host = Host(Events(()), graph, BlobStore(str(folder / "blobs"), 100))
        self.ledger = Ledger(graph, self.host, self.journal, max_bytes=1 << 20, window=1000)
        self.woken = asyncio.Event()
        self.feed = PublicFeed(
            self.host.source(),
            functools.partial(asyncio.get_running_loop().call_soon_threadsafe, self.woken.set),
            broker=broker,
            host=self.host,
            graph=graph,
            queues={"numbers": QUEUE},
            lease=LEASE,
        )
        self.feed.restore(self.ledger)
        self.feed.start()

    async def take(self, *, commit: bool = True) -> bool:
        """Wait for something to take, and take it; whether it was the last."""
        async with asyncio.timeout(10):
            while (chunk := self.feed.take()) is None:
                self.woken.clear()
                await self.woken.wait()
        events, done = chunk
        self.ledger.take_source(events, done=done)
        self.feed.remember(self.ledger)
        if commit:
            self.ledger.commit()
        return done

    async def settle(self, broker: MemoryBroker) -> None:
        """Tell the feed of the commit, and wait until everything is acked."""
        self.feed.committed()
        async with asyncio.timeout(10):
            depth = await broker.depth(QUEUE)
            while depth.leased:
                await asyncio.sleep(0.01)
                depth = await broker.depth(QUEUE)

    async def close(self) -> None:
        await self.feed.close()
        self.journal.close()

    @property
    def bodies(self) -> list[bytes]:
        """Of the events in the journal."""
        return sorted(item.event.data for item in self.journal.pending(0, 1000))

    @property
    def ids(self) -> list[str]:
        return [item.event.id for item in self.journal.pending(0, 1000)]


@pytest.fixture(params=["named", "numbered", "nameless"])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[MemoryBroker]:
    """By what a message can be told from another."""
    broker = MemoryBroker() if request.param == "named" else PlainBroker()
    if isinstance(broker, PlainBroker):
        broker.counts = request.param == "numbered"
    async with broker:
        await broker.declare(QUEUE, LEASE)
        yield broker


async def publish(broker: MemoryBroker, *bodies: bytes) -> None:
    for number, body in enumerate(bodies):
        await broker.publish(QUEUE, body, f"m-{number}")


async def test_every_message_is_an_event(broker: MemoryBroker, tmp_path: Path) -> None:
    await publish(broker, b"1", b"1", b"2")
    driver = Driver(tmp_path, broker)
    while len(driver.bodies) < 3:
        await driver.take()
    await driver.settle(broker)
    assert driver.bodies == [b"1", b"1", b"2"]
    assert driver.ledger.source_count == 0  # what the application's source has sent is counted apart
    await driver.close()


@pytest.mark.parametrize("commit", [True, False])
async def test_a_driver_that_dies_before_the_ack_costs_and_doubles_nothing(
    broker: MemoryBroker, tmp_path: Path, commit: bool
) -> None:
    await publish(broker, b"1", b"1", b"2")
    dying = Driver(tmp_path, broker)
    await dying.take(commit=commit)
    await dying.close()
    heir = Driver(tmp_path, broker)
    while (await broker.depth(QUEUE)).ready or (await broker.depth(QUEUE)).leased:
        await heir.take()
        await heir.settle(broker)
    assert heir.bodies == [b"1", b"1", b"2"]
    await heir.close()


async def test_finishing_takes_what_is_there(broker: MemoryBroker, tmp_path: Path) -> None:
    await publish(broker, b"1", b"2")
    driver = Driver(tmp_path, broker)
    driver.feed.finish()
    done = False
    while not done:
        done = await driver.take()
        driver.feed.committed()
    assert driver.bodies == [b"1", b"2"]
    assert driver.ledger.source_done
    await driver.close()


async def test_a_lease_is_renewed_while_there_is_no_room(tmp_path: Path) -> None:
    async with MemoryBroker() as broker:
        await broker.declare(QUEUE, LEASE)
        await publish(broker, b"1")
        driver = Driver(tmp_path, broker)
        async with asyncio.timeout(10):
            await driver.woken.wait()
        await asyncio.sleep(3 * LEASE)  # what is tested is that nothing happens
        assert (await broker.depth(QUEUE)).leased == 1
        await driver.take()
        await driver.settle(broker)
        assert driver.ids == ["m-0"]
        await driver.close()


async def test_events_of_a_numbered_queue_are_in_its_order(tmp_path: Path) -> None:
    async with PlainBroker() as broker:
        broker.counts = True
        await broker.declare(QUEUE, LEASE)
        await publish(broker, *(str(number).encode() for number in range(12)))
        driver = Driver(tmp_path, broker)
        while len(driver.ids) < 12:
            await driver.take()
        assert [name.partition("-")[0] for name in sorted(driver.ids)] == [f"{number:012}" for number in range(12)]
        await driver.close()


async def test_a_large_message_goes_by_reference(tmp_path: Path) -> None:
    async with MemoryBroker() as broker:
        await broker.declare(QUEUE, LEASE)
        await publish(broker, b"x" * 1000)
        driver = Driver(tmp_path, broker)
        await driver.take()
        assert driver.journal.pending(0, 1)[0].event.codec == "@bytes"
        await driver.close()


async def test_a_queue_that_is_gone_is_told(tmp_path: Path) -> None:
    broker = MemoryBroker()
    await broker.connect()
    driver = Driver(tmp_path, broker)
    await broker.close()
    with pytest.raises(BrokerUnavailable, match="the connection to memory"):
        await driver.take()
    await driver.close()

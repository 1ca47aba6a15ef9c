"""Accepted outputs reach the public queues once, in spite of restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ewms.brokers.memory import MemoryBroker
from ewms.wms.egress import POSITION, Egress

from .desk import Desk, MakeDesk, Sender, graph_of, numbers, succeeded

QUEUE = "QU-1"
GRAPH = graph_of()


@pytest.fixture
async def broker() -> AsyncIterator[MemoryBroker]:
    async with MemoryBroker() as broker:
        await broker.declare(QUEUE, 60)
        yield broker


async def published(broker: MemoryBroker, count: int) -> list[tuple[str, bytes]]:
    """So many messages, by name."""
    found: list[tuple[str, bytes]] = []
    async with await broker.consumer(QUEUE) as consumer:
        while len(found) < count:
            for delivery in await consumer.lease(count, 5):
                found.append((delivery.message_id, delivery.body))
                await delivery.ack()
    return sorted(found)


def work(desk: Desk, *values: object) -> None:
    """Every event that can be sent gives these values."""
    for message in desk.send():
        desk.take(succeeded(message, *values))


async def run(egress: Egress, broker: MemoryBroker, desk: Desk) -> None:
    """Publish what there is, and have the ledger remember it."""
    woken = asyncio.Event()
    running = asyncio.create_task(egress.run(broker, woken.set))
    try:
        async with asyncio.timeout(10):
            await woken.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    egress.remember(desk.ledger)
    desk.ledger.commit()


async def test_outputs_are_published_after_their_commit(desk_of: MakeDesk, broker: MemoryBroker) -> None:
    desk = desk_of(GRAPH, Sender(numbers(2)))
    egress = Egress(GRAPH, {"squares": QUEUE})
    egress.restore(desk.ledger)
    desk.take_source()
    work(desk, {"a": 1}, b"raw")
    assert not egress.is_idle
    egress.committed()
    await run(egress, broker, desk)
    assert egress.is_idle
    assert await published(broker, 4) == [
        ("0/square/0", b'{"a":1}'),
        ("0/square/1", b"raw"),
        ("1/square/0", b'{"a":1}'),
        ("1/square/1", b"raw"),
    ]
    assert desk.journal.value(POSITION) == 2


async def test_a_restart_publishes_what_was_accepted_and_not_remembered(desk_of: MakeDesk, broker: MemoryBroker) -> None:
    desk = desk_of(GRAPH, Sender(numbers(3)))
    egress = Egress(GRAPH, {"squares": QUEUE})
    egress.restore(desk.ledger)
    desk.take_source()
    work(desk, "text")
    egress.committed()  # and the driver dies
    desk.open(Sender(numbers(3)))
    heir = Egress(GRAPH, {"squares": QUEUE})
    heir.restore(desk.ledger)
    assert not heir.is_idle
    await run(heir, broker, desk)
    assert await published(broker, 3) == [(f"{number}/square/0", b"text") for number in range(3)]
    desk.open(Sender(numbers(3)))
    third = Egress(GRAPH, {"squares": QUEUE})
    third.restore(desk.ledger)
    assert third.is_idle


async def test_what_goes_to_other_queues_stays_inside(desk_of: MakeDesk, broker: MemoryBroker) -> None:
    graph = graph_of({"output": ["squares", "logs"]})
    desk = desk_of(graph, Sender(numbers(1)))
    egress = Egress(graph, {"logs": QUEUE})
    egress.restore(desk.ledger)
    desk.take_source()
    work(desk, 1)
    egress.committed()
    await run(egress, broker, desk)
    assert len(await published(broker, 1)) == 1
    assert (await broker.depth(QUEUE)).ready == 0


async def test_too_much_that_waits_is_told(desk_of: MakeDesk) -> None:
    desk = desk_of(GRAPH, Sender(numbers(5000)), window=5000, slots=5000)
    egress = Egress(GRAPH, {"squares": QUEUE})
    egress.restore(desk.ledger)
    desk.take_source()
    work(desk, 1)
    egress.committed()
    assert egress.is_full

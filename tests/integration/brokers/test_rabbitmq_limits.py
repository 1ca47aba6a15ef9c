"""The limits of RabbitMQ that break what is promised, each of them met."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator

import aiormq
import pytest

from ewms.brokers import _rabbitmq_queues
from ewms.brokers._rabbitmq_queues import max_lease_seconds
from ewms.brokers.base import Broker, Depth
from ewms.brokers.urls import broker_for
from ewms.core.errors import BrokerRejected, MessageTooLarge
from tests.support.rabbitmq import READER, RabbitmqServer

SOON = 10.0


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(_rabbitmq_queues, "SETTLING_SECONDS", 0.0)  # nobody kills the server here
    return f"q-{uuid.uuid4().hex[:8]}"


@pytest.fixture
async def broker(rabbitmq: RabbitmqServer, queue: str) -> AsyncIterator[Broker]:
    async with broker_for(rabbitmq.url()) as connected:
        await connected.declare(queue, 30.0)
        yield connected
        await connected.delete(queue)


async def has_depth(broker: Broker, queue: str, depth: Depth) -> None:
    deadline = time.monotonic() + SOON
    while (found := await broker.depth(queue)) != depth:
        assert time.monotonic() < deadline, f"depth is {found}, not {depth}"
        await asyncio.sleep(0.02)


async def test_nothing_is_sent_that_nobody_has_a_slot_for(broker: Broker, queue: str) -> None:
    for number in range(5):
        await broker.publish(queue, b"%d" % number, str(number))
    async with await broker.consumer(queue) as consumer:
        [first] = await consumer.lease(1, SOON)
        await first.ack()
        await has_depth(broker, queue, Depth(ready=4, leased=0))
        [second] = await consumer.lease(1, SOON)
        [third] = await consumer.lease(1, SOON)
        await second.ack()
        await has_depth(broker, queue, Depth(ready=2, leased=1))
        await third.ack()
        await has_depth(broker, queue, Depth(ready=2, leased=0))


async def test_a_long_task_outlasts_many_heartbeats(broker: Broker, rabbitmq: RabbitmqServer, queue: str) -> None:
    await broker.publish(queue, b"long", "1")
    async with broker_for(rabbitmq.url(query="?heartbeat=1")) as worker:
        [delivery] = await (await worker.consumer(queue)).lease(1, SOON)
        async with await broker.consumer(queue) as other:
            assert await other.lease(1, 5.0) == []  # a silent connection would be closed after two heartbeats
        await delivery.ack()
        await has_depth(broker, queue, Depth(0, 0))


async def test_a_message_held_for_too_long_comes_back_and_the_log_says_why(
    broker: Broker, rabbitmq: RabbitmqServer, queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    rabbitmq.ctl("eval", "application:set_env(rabbit, consumer_timeout, 1000).")
    try:
        async with broker_for(rabbitmq.url()) as worker:
            await broker.publish(queue, b"slow", "1")
            consumer = await worker.consumer(queue)
            [first] = await consumer.lease(1, SOON)
            [again] = await consumer.lease(1, SOON)
            assert (again.body, again.redelivered) == (b"slow", True)
            await first.ack()
            await has_depth(broker, queue, Depth(ready=0, leased=1))
            await again.ack()
            await has_depth(broker, queue, Depth(0, 0))
    finally:
        rabbitmq.ctl("eval", "application:set_env(rabbit, consumer_timeout, 1800000).")
    assert f"lease_lost queue={queue} reason=the server lets nobody hold a message for more than 1 s" in caplog.text


@pytest.mark.parametrize(
    ("version", "told", "limit"),
    [((3, 10), None, 1800.0), ((3, 10), 7200.0, 7200.0), ((3, 12), None, None), ((4, 0), None, None), ((4, 0), 60.0, 60.0)],
)
def test_how_long_a_message_may_be_held(version: tuple[int, int], told: float | None, limit: float | None) -> None:
    assert max_lease_seconds(version, told) == limit


@pytest.mark.parametrize(
    ("alarm", "relief"),
    [
        (("set_vm_memory_high_watermark", "absolute", "1MB"), ("set_vm_memory_high_watermark", "absolute", "1GB")),
        (("set_disk_free_limit", "99999GB"), ("set_disk_free_limit", "50MB")),
    ],
    ids=["memory", "disk"],
)
async def test_a_publisher_waits_for_room_says_so_and_goes_on(
    broker: Broker,
    rabbitmq: RabbitmqServer,
    queue: str,
    caplog: pytest.LogCaptureFixture,
    alarm: tuple[str, ...],
    relief: tuple[str, ...],
) -> None:
    caplog.set_level(logging.INFO, "ewms")
    for number in range(2):
        await broker.publish(queue, b"", f"before-{number}")
    async with await broker.consumer(queue) as consumer:
        held = await consumer.lease(2, SOON)
        await asyncio.to_thread(rabbitmq.ctl, *alarm)
        try:
            publishing = [asyncio.create_task(broker.publish(queue, b"late", f"late-{number}")) for number in range(50)]
            _, waiting = await asyncio.wait(publishing, timeout=1.0)
            assert len(waiting) == len(publishing)
            for delivery in held:
                await delivery.ack()  # by the other connection, which the server goes on reading
            deadline = time.monotonic() + SOON
            while _waiting(await asyncio.to_thread(rabbitmq.ctl, "list_queues", "-p", "tests/1", "name", "messages"), queue):
                assert time.monotonic() < deadline, "the acks did not arrive"
            await broker.signal("topic", b"dropped rather than waiting")
        finally:
            await asyncio.to_thread(rabbitmq.ctl, *relief)
        await asyncio.wait_for(asyncio.gather(*publishing), SOON)
    await has_depth(broker, queue, Depth(ready=50, leased=0))
    assert caplog.text.count("broker_blocked") == 1
    assert caplog.text.count("broker_unblocked") == 1


def _waiting(listing: str, queue: str) -> int:
    return next(int(line.split()[1]) for line in listing.splitlines() if line.startswith(f"{queue}\t"))


async def test_what_the_server_gives_up_delivering_is_kept(
    rabbitmq: RabbitmqServer, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_rabbitmq_queues, "_DELIVERY_LIMIT", 25)
    async with broker_for(rabbitmq.url()) as broker:
        await broker.declare(queue, 30.0)
        await broker.publish(queue, b"poison", "1")
        connection = await aiormq.connect(rabbitmq.url())
        channel = await connection.channel()
        for _ in range(26):
            message = await channel.basic_get(queue)
            assert message.body == b"poison"
            await channel.basic_nack(message.delivery_tag or 0)
        await connection.close()
        deadline = time.monotonic() + SOON
        while not (found := await broker.inspect(queue)).dead:
            assert time.monotonic() < deadline, f"found {found}"
            await asyncio.sleep(0.05)
        assert (found.ready, found.leased, found.dead) == (0, 0, 1)
        await broker.delete(queue)


async def test_a_server_that_takes_only_small_messages(broker: Broker, rabbitmq: RabbitmqServer, queue: str) -> None:
    rabbitmq.ctl("eval", "application:set_env(rabbit, max_message_size, 1000), persistent_term:put(max_message_size, 1000).")
    try:
        async with broker_for(rabbitmq.url()) as other:
            small = [other.publish(queue, b"small", str(number)) for number in range(20)]
            outcomes = await asyncio.gather(*small, other.publish(queue, bytes(1001), "large"), return_exceptions=True)
    finally:
        rabbitmq.ctl(
            "eval", "application:set_env(rabbit, max_message_size, 134217728), persistent_term:erase(max_message_size)."
        )
    assert outcomes[:-1] == [None] * 20
    assert isinstance(outcomes[-1], MessageTooLarge)
    assert "1001 bytes is above the limit of 1000 bytes" in str(outcomes[-1])


async def test_a_queue_that_an_administrator_made_is_taken_as_it_is(
    broker: Broker, rabbitmq: RabbitmqServer, queue: str
) -> None:
    connection = await aiormq.connect(rabbitmq.url())
    channel = await connection.channel()
    name = f"{queue}-plain"
    await channel.queue_declare(name, durable=True)
    await channel.basic_publish(b"from somebody else", routing_key=name)
    await connection.close()
    assert await broker.declare(name, 30.0) == await broker.declare(name, 30.0)
    async with await broker.consumer(name) as consumer:
        [delivery] = await consumer.lease(1, SOON)
        assert delivery.body == b"from somebody else"
        await delivery.ack()
    await broker.delete(name)


async def test_a_missing_permission_is_named(broker: Broker, rabbitmq: RabbitmqServer, queue: str) -> None:
    async with broker_for(rabbitmq.url(user=READER), patience=5.0) as reader:
        with pytest.raises(
            BrokerRejected, match=r"denies the user (write )?access to exchange 'amq\.default'; have it granted"
        ):
            await asyncio.wait_for(reader.publish(queue, b"", "1"), SOON)
    assert await broker.depth(queue) == Depth(0, 0)

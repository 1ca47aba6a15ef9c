"""RabbitMQ dies, or hangs, under load: every confirmed message is there after it."""

from __future__ import annotations

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable

import pytest

from ewms.brokers.base import Broker, Depth
from ewms.brokers.urls import broker_for
from ewms.core.errors import BrokerUnavailable
from tests.support.rabbitmq import RabbitmqServer

SOON = 20.0
"""A server that comes back takes some seconds, on a busy machine many."""


@pytest.fixture
def queue() -> str:
    return f"q-{uuid.uuid4().hex[:8]}"


@pytest.fixture
async def broker(rabbitmq: RabbitmqServer) -> AsyncIterator[Broker]:
    async with broker_for(rabbitmq.url()) as connected:
        yield connected


async def restarted(server: RabbitmqServer) -> None:
    server.kill()
    await asyncio.to_thread(server.start)


async def until(condition: Callable[[], bool], seconds: float = SOON) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


class Load:
    """Publishes without pause, and takes what comes."""

    def __init__(self, broker: Broker, other: Broker, queue: str) -> None:
        self.confirmed: set[bytes] = set()
        self.received: set[bytes] = set()
        self._queue = queue
        self._publishing = asyncio.create_task(self._publish(broker))
        self._taking = asyncio.create_task(self._take(other))

    async def finish(self) -> None:
        """Stop publishing; return when all that was confirmed has come."""
        await self._end(self._publishing)
        await until(lambda: self.confirmed <= self.received)
        await self._end(self._taking)

    async def _end(self, task: asyncio.Task[None]) -> None:
        task.cancel()
        [outcome] = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(outcome, asyncio.CancelledError), outcome

    async def _publish(self, broker: Broker) -> None:
        number = 0
        while True:
            bodies = [b"%d" % count for count in range(number, number + 20)]
            await asyncio.gather(*(broker.publish(self._queue, body, body.decode()) for body in bodies))
            self.confirmed.update(bodies)
            number += len(bodies)

    async def _take(self, broker: Broker) -> None:
        async with await broker.consumer(self._queue) as consumer:
            while True:
                for delivery in await consumer.lease(50, 1.0):
                    self.received.add(delivery.body)
                    await delivery.ack()


async def test_killed_under_load(broker: Broker, rabbitmq: RabbitmqServer, queue: str) -> None:
    async with broker_for(rabbitmq.url()) as other:
        identity = await broker.declare(queue, 30.0)
        load = Load(broker, other, queue)
        await until(lambda: len(load.confirmed) > 300)
        await restarted(rabbitmq)
        await until(lambda: len(load.confirmed) > 600)
        await load.finish()
        assert await broker.declare(queue, 30.0) == identity
        await broker.delete(queue)


async def test_everything_goes_on_with_the_next_server(broker: Broker, rabbitmq: RabbitmqServer, queue: str) -> None:
    await broker.declare(queue, 30.0)
    empty = f"{queue}-empty"
    await broker.declare(empty, 30.0)
    await asyncio.gather(*(broker.publish(queue, b"%d" % number, str(number)) for number in range(200)))
    async with (
        await broker.consumer(queue) as consumer,
        await broker.consumer(empty) as patient,
        broker.signals("topic") as signals,
    ):
        [stale] = await consumer.lease(1, SOON)
        waiting = asyncio.create_task(patient.lease(1, 60.0))
        await asyncio.sleep(0.1)
        rabbitmq.kill()
        during = asyncio.create_task(broker.publish(empty, b"during", "during"))
        await asyncio.to_thread(rabbitmq.start)

        await asyncio.wait_for(during, SOON)
        [delivery] = await asyncio.wait_for(waiting, SOON)
        assert (delivery.body, delivery.redelivered) == (b"during", False)
        await delivery.ack()

        assert await broker.depth(queue) == Depth(ready=200, leased=0)
        await stale.renew()
        await stale.ack()  # too late: the message is in the queue again, and stays there
        [again] = await consumer.lease(1, SOON)
        assert (again.body, again.redelivered) == (stale.body, True)
        await again.ack()

        await broker.signal("topic", b"heard")
        assert await asyncio.wait_for(anext(signals), SOON) == b"heard"
    await broker.delete(queue)
    await broker.delete(empty)


async def test_a_suspended_server_only_delays(broker: Broker, rabbitmq: RabbitmqServer, queue: str) -> None:
    await broker.declare(queue, 30.0)
    rabbitmq.pause()
    try:
        publishing = asyncio.create_task(broker.publish(queue, b"once", "1"))
        done, _ = await asyncio.wait({publishing}, timeout=0.5)
    finally:
        rabbitmq.proceed()
    assert not done
    await asyncio.wait_for(publishing, SOON)
    assert await broker.depth(queue) == Depth(ready=1, leased=0)
    await broker.delete(queue)


async def test_patience_ends(rabbitmq: RabbitmqServer, queue: str) -> None:
    async with broker_for(rabbitmq.url(), patience=1.0) as broker:
        await broker.declare(queue, 30.0)
        await broker.publish(queue, b"", "1")
        consumer = await broker.consumer(queue)
        [delivery] = await consumer.lease(1, 5.0)
        rabbitmq.kill()
        try:
            assert await consumer.lease(1, 0.1) == []
            began = time.monotonic()
            with pytest.raises(BrokerUnavailable, match="no RabbitMQ server answers"):
                await broker.publish(queue, b"", "2")
            assert 0.8 < time.monotonic() - began < 4.0
            with pytest.raises(BrokerUnavailable, match="no RabbitMQ server answers"):
                await consumer.lease(1, 30.0)
            with pytest.raises(BrokerUnavailable, match="no RabbitMQ server answers"):
                await broker.depth(queue)
            await delivery.ack()
            await broker.signal("topic", b"dropped")
        finally:
            await asyncio.to_thread(rabbitmq.start)


async def test_nobody_listens(unused_tcp_port: int) -> None:
    began = time.monotonic()
    with pytest.raises(BrokerUnavailable) as caught:
        await broker_for(f"amqp://me:SECRET@127.0.0.1:{unused_tcp_port}").connect()
    assert time.monotonic() - began < 5.0
    text = str(caught.value)
    assert text.startswith(f"no RabbitMQ server answers at amqp://127.0.0.1:{unused_tcp_port} (connection refused)")
    assert "SECRET" not in text
    assert "\n" not in text


async def test_somebody_else_listens() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        port = mute.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(BrokerUnavailable, match=f"127.0.0.1:{port}.*no answer in time"):
            await broker_for(f"amqp://127.0.0.1:{port}").connect()
        assert time.monotonic() - began < 5.0


async def test_the_first_of_several_servers_may_be_away(rabbitmq: RabbitmqServer, unused_tcp_port: int, queue: str) -> None:
    url = rabbitmq.url().replace("@127.0.0.1", f"@127.0.0.1:{unused_tcp_port},127.0.0.1")
    async with broker_for(url) as broker:
        await broker.declare(queue, 30.0)
        await broker.publish(queue, b"", "1")
        assert await broker.depth(queue) == Depth(ready=1, leased=0)
        await broker.delete(queue)

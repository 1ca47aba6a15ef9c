"""What the bearer of an issued RabbitMQ credential can do with a client of their own: their queue's work, and no more."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import pytest
import trustme
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import AMQPConnectionError, AMQPError, DeliveryError
from aiormq.exceptions import ChannelAccessRefused, ChannelLockedResource, ChannelNotFoundEntity

from ewms.brokers._rabbitmq_guests import Guest
from ewms.brokers._rabbitmq_signals import EXCHANGE
from ewms.brokers.base import Broker, Depth
from ewms.brokers.rabbitmq_credentials import RabbitmqCredentials
from ewms.brokers.urls import broker_for
from ewms.core.errors import BrokerRejected, BrokerUnavailable
from ewms.wms.access.grants import load_grant, pilot_grant, read_grant
from tests.integration.access.conftest import LEASE, MINE, OTHERS
from tests.support.rabbitmq import READER, RabbitmqServer, why_not

DEADLINE = 60.0
QUEUES = [f"{workflow}-{channel}" for workflow in (MINE, OTHERS) for channel in ("work", "reports")] + ["QU-in", "QU-out"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[RabbitmqServer]:
    """A server with the management API."""
    if (reason := why_not()) is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    server = RabbitmqServer(tmp_path_factory.mktemp("managed") / "server", authority, with_management=True)
    try:
        server.start()
        asyncio.run(_declare(server.url()))  # once, because it takes RabbitMQ a second
        yield server
    finally:
        server.stop()


@pytest.fixture
async def broker(server: RabbitmqServer) -> AsyncIterator[Broker]:
    """The service's own connection, with the queues of two workflows, and work in both."""
    async with broker_for(server.url(), patience=5.0) as broker:
        await asyncio.gather(*(broker.purge(queue) for queue in QUEUES))
        for workflow in (MINE, OTHERS):
            await broker.publish(f"{workflow}-work", b"work", "1")
        await broker.publish("QU-out", b"result", "1")
        yield broker


async def _declare(url: str) -> None:
    async with broker_for(url) as broker:
        await asyncio.gather(*(broker.declare(queue, LEASE) for queue in QUEUES))


@pytest.fixture
async def credentials(server: RabbitmqServer, broker: Broker) -> AsyncIterator[RabbitmqCredentials]:
    credentials = RabbitmqCredentials(server.url(), server.management_url)
    await _until_it_answers(credentials)
    yield credentials
    for workflow in (MINE, OTHERS):
        await credentials.revoke(workflow)
    await credentials.close()


async def _until_it_answers(credentials: RabbitmqCredentials) -> None:
    """The API starts after the broker."""
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            return await credentials.revoke(MINE)
        except BrokerUnavailable:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)


@asynccontextmanager
async def raw_channel(url: str) -> AsyncIterator[AbstractChannel]:
    connection = await aio_pika.connect(url)
    try:
        yield await connection.channel(on_return_raises=True)
    finally:
        await connection.close()


async def is_denied(url: str, attempt: Any) -> bool:
    """Whether the server refuses what is tried on a channel of its own."""
    async with raw_channel(url) as channel:
        try:
            await attempt(channel)
        except (ChannelAccessRefused, ChannelLockedResource):
            return True
    return False


async def publish(channel: AbstractChannel, exchange: str, key: str, body: bytes = b"forged") -> None:
    target = channel.default_exchange if not exchange else await channel.get_exchange(exchange, ensure=False)
    await target.publish(aio_pika.Message(body), routing_key=key, mandatory=True)


async def pilot_url(credentials: RabbitmqCredentials) -> str:
    return await credentials.issue(pilot_grant(MINE), 600.0)


def way_out(url: str) -> str:
    guest = Guest.of(url.partition("://")[2].partition(":")[0])
    assert guest is not None
    return guest.way_out


async def test_a_pilot_works_through_our_own_adapter(credentials: RabbitmqCredentials, broker: Broker) -> None:
    async with broker_for(await pilot_url(credentials), patience=5.0) as pilot:
        async with await pilot.consumer(f"{MINE}-work") as consumer:
            [delivery] = await consumer.lease(1, 5.0)
            await pilot.publish(f"{MINE}-reports", b"report", "r-1")
            await delivery.ack()
        async with broker.signals(f"{MINE}-heartbeats") as beats, pilot.signals(f"{MINE}-commands") as commands:
            await pilot.signal(f"{MINE}-heartbeats", b"beat")
            await broker.signal(f"{MINE}-commands", b"drain")
            assert await asyncio.wait_for(anext(beats), DEADLINE) == b"beat"
            assert await asyncio.wait_for(anext(commands), DEADLINE) == b"drain"
    assert await broker.depth(f"{MINE}-reports") == Depth(1, 0)
    assert await broker.depth(f"{MINE}-work") == Depth(0, 0)


async def test_a_pilot_reads_no_other_queue(credentials: RabbitmqCredentials, broker: Broker) -> None:
    url = await pilot_url(credentials)
    for queue in (f"{OTHERS}-work", f"{OTHERS}-reports", f"{MINE}-reports", f"{MINE}-work.dead", f"{MINE}-work.identity"):

        async def get(channel: AbstractChannel, queue: str = queue) -> None:
            await (await channel.get_queue(queue, ensure=False)).get(fail=False)

        async def purge(channel: AbstractChannel, queue: str = queue) -> None:
            await (await channel.get_queue(queue, ensure=False)).purge()

        assert await is_denied(url, get), queue
        assert await is_denied(url, purge), queue
    assert await broker.depth(f"{OTHERS}-work") == Depth(1, 0)


async def test_a_pilot_makes_and_deletes_nothing(credentials: RabbitmqCredentials, broker: Broker) -> None:
    url = await pilot_url(credentials)
    attempts = [
        lambda channel: channel.queue_delete(f"{MINE}-work"),
        lambda channel: channel.queue_delete(f"{OTHERS}-work"),
        lambda channel: channel.declare_queue("mine"),
        lambda channel: channel.declare_exchange("mine"),
        lambda channel: channel.exchange_delete(EXCHANGE),
        lambda channel: channel.exchange_delete(way_out(url)),
    ]
    for attempt in attempts:
        assert await is_denied(url, attempt)
    assert await broker.depth(f"{MINE}-work") == Depth(1, 0)


async def test_a_pilot_publishes_nothing_but_reports(credentials: RabbitmqCredentials, broker: Broker) -> None:
    url = await pilot_url(credentials)
    for exchange in ("", EXCHANGE, "amq.direct", "amq.topic", "amq.fanout"):
        for key in (f"{OTHERS}-work", f"{MINE}-work", f"{MINE}-reports", f"{OTHERS}-commands"):
            assert await is_denied(url, lambda channel, e=exchange, k=key: publish(channel, e, k)), (exchange, key)
    async with raw_channel(url) as channel, broker.signals(f"{OTHERS}-commands") as commands:
        await publish(channel, way_out(url), f"{MINE}-reports")
        for key in (f"{OTHERS}-work", f"{OTHERS}-reports", f"{MINE}-work", f"{OTHERS}-commands", f"{MINE}-commands"):
            with pytest.raises(DeliveryError):  # its own way out leads nowhere else
                await publish(channel, way_out(url), key)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(commands), 0.1)
    assert await broker.depth(f"{OTHERS}-work") == Depth(1, 0)
    assert await broker.depth(f"{MINE}-reports") == Depth(1, 0)


async def test_a_pilot_hears_nothing_but_its_commands(credentials: RabbitmqCredentials, broker: Broker) -> None:
    url = await pilot_url(credentials)
    other = Guest.of((await credentials.issue(pilot_grant(OTHERS), 600.0)).partition("://")[2].partition(":")[0])
    assert other is not None
    for exchange in (EXCHANGE, other.way_in, other.way_out, way_out(url), "amq.rabbitmq.trace"):

        async def listen(channel: AbstractChannel, exchange: str = exchange) -> None:
            queue = await channel.declare_queue("", exclusive=True)
            await queue.bind(exchange, routing_key=f"{OTHERS}-commands")

        assert await is_denied(url, listen), exchange
    async with raw_channel(url) as channel:
        queue = await channel.declare_queue("", exclusive=True)
        guest = Guest.of(url.partition("://")[2].partition(":")[0])
        assert guest is not None
        await queue.bind(guest.way_in, routing_key=f"{OTHERS}-commands")  # its own exchange, to which these never come
        await queue.bind(guest.way_in, routing_key=f"{MINE}-commands")
        await broker.signal(f"{OTHERS}-commands", b"not for it")
        await broker.signal(f"{MINE}-commands", b"for it")
        heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def hear(message: AbstractIncomingMessage) -> None:
            heard.set_result(message.body)

        await queue.consume(hear, no_ack=True)
        assert await asyncio.wait_for(heard, DEADLINE) == b"for it"


@pytest.mark.parametrize("exchange", ["", EXCHANGE, "amq.direct"])
async def test_dead_letters_do_not_lead_out(credentials: RabbitmqCredentials, exchange: str) -> None:
    arguments = {"x-dead-letter-exchange": exchange, "x-dead-letter-routing-key": f"{OTHERS}-work", "x-message-ttl": 1}
    url = await pilot_url(credentials)
    assert await is_denied(url, lambda channel: channel.declare_queue("", exclusive=True, arguments=arguments))


async def test_loaders_and_readers_go_one_way(credentials: RabbitmqCredentials, broker: Broker) -> None:
    loader = await credentials.issue(load_grant(MINE, "QU-in"), 600.0)
    async with raw_channel(loader) as channel:
        await publish(channel, way_out(loader), "QU-in", b"event")
    for queue in ("QU-in", "QU-out", f"{MINE}-work"):

        async def get(channel: AbstractChannel, queue: str = queue) -> None:
            await (await channel.get_queue(queue, ensure=False)).get(fail=False)

        assert await is_denied(loader, get), queue
    reader = await credentials.issue(read_grant(MINE, "QU-out"), 600.0)
    async with raw_channel(reader) as channel:
        message = await (await channel.get_queue("QU-out", ensure=False)).get(timeout=DEADLINE)
        assert message is not None
        await message.ack()
    assert await is_denied(reader, lambda channel: publish(channel, "", "QU-out"))
    assert await is_denied(reader, lambda channel: publish(channel, way_out(reader), "QU-out"))
    assert await broker.depth("QU-in") == Depth(1, 0)


async def test_revocation_ends_connections_and_leaves_nothing(
    credentials: RabbitmqCredentials, server: RabbitmqServer, broker: Broker
) -> None:
    url, bystander = await pilot_url(credentials), await credentials.issue(pilot_grant(OTHERS), 600.0)
    connection = await aio_pika.connect(url)
    closed = asyncio.Event()
    connection.close_callbacks.add(lambda *_: closed.set())
    await credentials.revoke(MINE)
    await asyncio.wait_for(closed.wait(), DEADLINE)
    await connection.close()
    with pytest.raises(AMQPConnectionError):
        await aio_pika.connect(url)
    with pytest.raises(BrokerRejected, match="refuses the credentials"):
        await broker_for(url, patience=1.0).connect()
    left = await asyncio.to_thread(server.ctl, "list_users") + await asyncio.to_thread(
        server.ctl, "list_exchanges", "-p", "tests/1"
    )
    assert MINE not in left
    async with raw_channel(bystander) as channel:
        await publish(channel, way_out(bystander), f"{OTHERS}-reports")
    async with raw_channel(await pilot_url(credentials)) as channel:  # as after a resume
        with pytest.raises(ChannelNotFoundEntity):
            await channel.get_exchange("none")


async def test_what_has_had_its_time_is_swept_away(server: RabbitmqServer, broker: Broker) -> None:
    now = [1_000_000.0]
    credentials = RabbitmqCredentials(server.url(), server.management_url, clock=lambda: now[0])
    old = await credentials.issue(pilot_grant(MINE), 60.0)
    now[0] += 3600.0
    new = await credentials.issue(pilot_grant(MINE), 60.0)
    with pytest.raises(AMQPError):
        await aio_pika.connect(old)
    async with raw_channel(new):
        await credentials.revoke(MINE)
    await credentials.close()


async def test_who_may_not_make_users_is_told_what_to_do(server: RabbitmqServer, broker: Broker) -> None:
    for user, telling in ((READER, "set_user_tags USER administrator"), ("nobody", "set_user_tags USER administrator")):
        credentials = RabbitmqCredentials(server.url(user=user), server.management_url)
        with pytest.raises(BrokerRejected, match=telling) as caught:
            await credentials.issue(pilot_grant(MINE), 60.0)
        assert "\n" not in str(caught.value)
        await credentials.close()
    credentials = RabbitmqCredentials(server.url(), "http://127.0.0.1:1")
    with pytest.raises(BrokerUnavailable, match=r"management API does not answer at http://127\.0\.0\.1:1"):
        await credentials.issue(pilot_grant(MINE), 60.0)
    await credentials.close()

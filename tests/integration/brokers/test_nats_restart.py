"""The server dies, hangs or stays away: what was confirmed is there afterwards, and everybody goes on by himself."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from ewms.brokers._nats_process import NatsProcess
from ewms.brokers.base import Broker, Depth
from ewms.brokers.embedded import EmbeddedNats
from ewms.brokers.urls import broker_for
from ewms.core.errors import BrokerUnavailable

StartServer = Callable[[str], Awaitable[NatsProcess]]

JETSTREAM = 'jetstream { store_dir: "STORE/js" }'


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)


def kill(server: EmbeddedNats) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)


async def restarted(server: EmbeddedNats) -> None:
    """Kill the server and wait for its successor."""
    former = server.pid
    kill(server)
    await until(lambda: server.pid not in {None, former})


class Load:
    """Publishers and consumers that go on until they are told to stop."""

    def __init__(self, broker: Broker, other: Broker) -> None:
        self.confirmed: set[bytes] = set()
        self.received: set[bytes] = set()
        self._numbers = itertools.count()
        self._publishing = self._consuming = True
        self._publishers = [asyncio.create_task(self._publish(broker)) for _ in range(8)]
        self._consumers = [asyncio.create_task(self._consume(one)) for one in (broker, other)]

    async def _publish(self, broker: Broker) -> None:
        while self._publishing:
            body = b"%d" % next(self._numbers)
            await broker.publish("q", body, body.decode())
            self.confirmed.add(body)

    async def _consume(self, broker: Broker) -> None:
        async with await broker.consumer("q") as consumer:
            while self._consuming or self.confirmed - self.received:
                for delivery in await consumer.lease(16, 0.5):
                    await delivery.ack()
                    self.received.add(delivery.body)

    async def finish(self) -> None:
        """Stop publishing, and wait until everything confirmed has come."""
        self._publishing = False
        await asyncio.gather(*self._publishers)
        self._consuming = False
        await asyncio.wait_for(asyncio.gather(*self._consumers), 20.0)


async def test_kill_9_under_load_loses_nothing_that_was_confirmed(tmp_path: Path) -> None:
    async with (
        EmbeddedNats(tmp_path / "nats") as server,
        broker_for(server.url) as broker,
        broker_for(server.url) as other,
    ):
        identity = await broker.declare("q", 1.0)
        load = Load(broker, other)
        for _ in range(3):
            enough = len(load.confirmed) + 300
            await until(lambda enough=enough: len(load.confirmed) > enough)  # type: ignore[misc]
            await restarted(server)
        await load.finish()
        assert load.confirmed <= load.received
        assert await broker.declare("q", 1.0) == identity


async def test_what_nobody_leased_survives_too(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path / "nats") as server, broker_for(server.url) as broker:
        await broker.declare("q", 30.0)
        await asyncio.gather(*(broker.publish("q", b"%d" % number, str(number)) for number in range(200)))
        await restarted(server)
        assert await broker.depth("q") == Depth(ready=200, leased=0)


async def test_an_ack_across_a_restart(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path / "nats") as server, broker_for(server.url) as broker:
        await broker.declare("q", 1.0)
        await broker.publish("q", b"held", "1")
        async with await broker.consumer("q") as consumer:
            [delivery] = await consumer.lease(1, 5.0)
            await restarted(server)
            await delivery.renew()
            depth = await broker.depth("q")
            assert depth.ready + depth.leased == 1
            await delivery.ack()
            # A server that is killed forgets the leases of its last moments: then the message comes once more.
            for again in await consumer.lease(1, 1.5):
                assert again.body == b"held"
                await again.ack()
            await broker.publish("q", b"next", "2")
            [following] = await consumer.lease(1, 5.0)
            assert following.body == b"next"


async def test_a_waiting_lease_goes_on_with_the_next_server(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path / "nats") as server, broker_for(server.url) as broker:
        await broker.declare("q", 30.0)
        async with await broker.consumer("q") as consumer, broker.signals("topic") as signals:
            waiting = asyncio.create_task(consumer.lease(1, 30.0))
            await asyncio.sleep(0.05)
            await restarted(server)
            await broker.publish("q", b"after", "1")
            [delivery] = await asyncio.wait_for(waiting, 5.0)
            assert (delivery.body, delivery.redelivered) == (b"after", False)
            await broker.signal("topic", b"heard")
            assert await asyncio.wait_for(anext(signals), 5.0) == b"heard"


async def test_a_suspended_server_only_delays(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path / "nats") as server, broker_for(server.url) as broker:
        await broker.declare("q", 30.0)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGSTOP)
        publishing = asyncio.create_task(broker.publish("q", b"once", "1"))
        done, _ = await asyncio.wait({publishing}, timeout=0.3)
        os.kill(server.pid, signal.SIGCONT)
        assert not done
        await asyncio.wait_for(publishing, 5.0)
        assert await broker.depth("q") == Depth(ready=1, leased=0)


async def test_nobody_listens(unused_tcp_port: int) -> None:
    began = time.monotonic()
    with pytest.raises(BrokerUnavailable) as caught:
        await broker_for(f"nats://SECRET@127.0.0.1:{unused_tcp_port}").connect()
    assert time.monotonic() - began < 5.0
    text = str(caught.value)
    assert text.startswith(f"no NATS server answers at nats://127.0.0.1:{unused_tcp_port} (")
    assert "refused" in text
    assert "SECRET" not in text
    assert "\n" not in text


async def test_somebody_else_listens() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        port = mute.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(BrokerUnavailable, match=f"127.0.0.1:{port}.*(no answer in time|timeout)"):
            await broker_for(f"nats://127.0.0.1:{port}").connect()
        assert time.monotonic() - began < 5.0


async def test_the_first_of_several_servers_may_be_away(start_server: StartServer, unused_tcp_port: int) -> None:
    server = await start_server(JETSTREAM)
    async with broker_for(f"nats://127.0.0.1:{unused_tcp_port},127.0.0.1:{server.port}") as broker:
        await broker.declare("q", 30.0)
        await broker.publish("q", b"", "1")
        assert await broker.depth("q") == Depth(ready=1, leased=0)


async def test_patience_ends(start_server: StartServer) -> None:
    server = await start_server(JETSTREAM)
    async with broker_for(f"nats://127.0.0.1:{server.port}", patience=1.0) as broker:
        await broker.declare("q", 30.0)
        await broker.publish("q", b"", "1")
        consumer = await broker.consumer("q")
        [delivery] = await consumer.lease(1, 5.0)
        os.kill(server.pid, signal.SIGKILL)
        assert await consumer.lease(1, 0.1) == []
        began = time.monotonic()
        with pytest.raises(BrokerUnavailable, match="no NATS server answers"):
            await broker.publish("q", b"", "2")
        assert 0.8 < time.monotonic() - began < 4.0
        with pytest.raises(BrokerUnavailable, match="no NATS server answers"):
            await consumer.lease(1, 30.0)
        with pytest.raises(BrokerUnavailable, match="no NATS server answers"):
            await delivery.ack()
        await broker.signal("topic", b"dropped")

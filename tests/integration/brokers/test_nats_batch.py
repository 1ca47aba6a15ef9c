"""Batches of NATS: all or nothing is tried first, and each message is there once whatever becomes of that."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from ewms.brokers._nats_batch import LEAST, groups
from ewms.brokers._nats_jetstream import stream_settings
from ewms.brokers.base import Depth, Message
from ewms.brokers.embedded import EmbeddedNats
from ewms.brokers.nats import NatsBroker
from tests.support.conditions import until


def messages(count: int, prefix: str = "m") -> list[Message]:
    return [Message(f"{prefix}{number}", f"{prefix}{number}".encode()) for number in range(count)]


def test_groups_are_bounded_by_number_and_size() -> None:
    assert list(groups([])) == []
    assert [len(group) for group in groups(messages(1100))] == [500, 500, 100]
    large = [Message(str(number), bytes(400_000)) for number in range(5)]
    assert [len(group) for group in groups(large)] == [2, 2, 1]
    assert [len(group) for group in groups([Message("a", bytes(5 << 20)), *messages(2)])] == [1, 2]


async def test_a_queue_that_takes_no_batches_gets_each_message_once(tmp_path: Path) -> None:
    """Such as one that another version of ewms made."""
    async with EmbeddedNats(tmp_path / "nats") as server, NatsBroker(server.url) as broker:
        await broker._jetstream.manage_stream("CREATE", "q", stream_settings("q", 1) | {"allow_atomic": False})
        await broker.declare("q", 30.0)
        for prefix in ("a", "b"):
            await broker.publish_all("q", messages(2 * LEAST, prefix))
        assert await broker.depth("q") == Depth(ready=4 * LEAST, leased=0)
        assert broker._batches._refusing == {"q"}


async def test_a_batch_is_one_message_after_another_in_the_stream(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path / "nats") as server, NatsBroker(server.url) as broker:
        await broker.declare("q", 30.0)
        assert await broker._batches.store("q", messages(100))
        assert not await broker._batches.store("q", messages(100)), "a repeated batch is refused as a whole"
        assert not broker._batches._refusing
        async with await broker.consumer("q") as consumer:
            leased = await consumer.lease(200, 5.0)
        assert [delivery.body for delivery in leased] == [message.body for message in messages(100)]


async def test_kill_9_amid_batches_loses_nothing_that_was_confirmed(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path / "nats") as server, NatsBroker(server.url) as broker:
        await broker.declare("q", 30.0)
        confirmed: list[str] = []
        stop = asyncio.Event()

        async def publish(publisher: int) -> None:
            number = 0
            while not stop.is_set():
                await broker.publish_all("q", messages(60, f"{publisher}.{number}."))
                confirmed.append(f"{publisher}.{number}.")
                number += 1

        async def is_enough() -> bool:
            return len(confirmed) > enough

        async def is_back() -> bool:
            return server.pid not in {None, former}

        publishing = [asyncio.create_task(publish(publisher)) for publisher in range(3)]
        for _ in range(3):
            enough = len(confirmed) + 9
            await until(is_enough, "more batches", 60.0)
            former = server.pid
            assert former is not None
            os.kill(former, signal.SIGKILL)
            await until(is_back, "the server's return", 60.0)
        stop.set()
        await asyncio.gather(*publishing)
        found: list[bytes] = []
        async with await broker.consumer("q") as consumer:
            while leased := await consumer.lease(500, 1.0):
                found += [delivery.body for delivery in leased]
        assert sorted(found) == sorted(f"{group}{number}".encode() for group in confirmed for number in range(60))

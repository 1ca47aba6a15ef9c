"""News reaches whoever listens, here and over a broker, and never raises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from ewms.brokers.memory import MemoryBroker
from ewms.wms.news import TOPIC, Item, News


@pytest.fixture
async def pair() -> AsyncIterator[tuple[News, News, MemoryBroker]]:
    """Two processes' news over one broker."""
    async with (
        MemoryBroker("memory://news") as one,
        MemoryBroker("memory://news") as two,
        News(one) as here,
        News(two) as there,
    ):
        await asyncio.sleep(0)  # both listen
        yield here, there, one


async def test_what_is_published_is_heard_in_the_same_process() -> None:
    async with News() as news:
        with news.listener() as listener:
            await news.publish("workflows", "WF-1")
            assert await listener.wait() == [Item("workflows", "WF-1")]


async def test_what_is_published_elsewhere_is_heard_once(pair: tuple[News, News, MemoryBroker]) -> None:
    here, there, _ = pair
    with here.listener() as mine, there.listener() as theirs:
        await here.publish("workflows", "WF-1")
        assert await theirs.wait() == [Item("workflows", "WF-1")]
        assert await mine.wait() == [Item("workflows", "WF-1")]
        assert await mine.wait(0.05) == []


async def test_a_listener_hears_its_kinds_alone_and_each_item_once() -> None:
    async with News() as news:
        with news.listener("workflows") as listener:
            for kind, key in [("taskforces", "TF-1"), ("workflows", "WF-1"), ("workflows", "WF-2"), ("workflows", "WF-1")]:
                await news.publish(kind, key)
            assert await listener.wait() == [Item("workflows", "WF-1"), Item("workflows", "WF-2")]


async def test_a_listener_need_not_hear_itself(pair: tuple[News, News, MemoryBroker]) -> None:
    here, there, _ = pair
    with here.listener(own=False) as listener:
        await here.publish("workflows", "WF-1")
        await there.publish("workflows", "WF-2")
        assert await listener.wait() == [Item("workflows", "WF-2")]


async def test_without_news_a_listener_wakes_in_time() -> None:
    async with News() as news:
        with news.listener() as listener:
            began = asyncio.get_running_loop().time()
            assert await listener.wait() == []
            assert 0.9 < asyncio.get_running_loop().time() - began < 5


@pytest.mark.parametrize("body", [b"", b"[]", b'{"kind": 1, "key": ""}', b"\xff"])
async def test_what_cannot_be_read_is_passed_over(pair: tuple[News, News, MemoryBroker], body: bytes) -> None:
    here, there, broker = pair
    with here.listener() as listener:
        await broker.signal(TOPIC, body)
        await there.publish("workflows", "WF-1")
        assert await listener.wait() == [Item("workflows", "WF-1")]


async def test_others_may_publish_by_hand(pair: tuple[News, News, MemoryBroker]) -> None:
    here, _, broker = pair
    with here.listener() as listener:
        await broker.signal(TOPIC, msgspec.json.encode({"kind": "workflows", "key": "WF-1"}))
        assert await listener.wait() == [Item("workflows", "WF-1")]


async def test_publishing_survives_the_end_of_the_broker() -> None:
    broker = MemoryBroker()
    await broker.connect()
    async with News(broker) as news:
        await broker.close()
        with news.listener() as listener:
            await news.publish("workflows", "WF-1")
            assert await listener.wait() == [Item("workflows", "WF-1")]

"""What is said where Pulsar cannot be used, and a workflow that runs over its stand-in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ewms.brokers._pulsar_url import PulsarAddress
from ewms.brokers.urls import broker_for
from ewms.core.errors import BrokerRejected, BrokerUnavailable, UsageError
from tests.support.pulsar_lite import running_pulsar_lite


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with running_pulsar_lite(tmp_path / "pulsar") as address:
        yield address


async def test_nobody_listens(url: str, unused_tcp_port: int) -> None:
    began = time.monotonic()
    with pytest.raises(
        BrokerUnavailable, match=f"no Pulsar server answers at pulsar://127.0.0.1:{unused_tcp_port}"
    ) as caught:
        await broker_for(f"pulsar://127.0.0.1:{unused_tcp_port}").connect()
    assert time.monotonic() - began < 6.0
    assert "\n" not in str(caught.value)


async def test_it_says_that_it_does_not_count(url: str) -> None:
    async with broker_for(url) as broker:
        assert not broker.capabilities.tells_depth
        with pytest.raises(BrokerRejected, match="does not tell clients how many messages it holds"):
            await broker.depth("q")


async def test_a_purge_drops_what_waits(url: str) -> None:
    async with broker_for(url) as broker:
        await broker.declare("q", 30.0)
        for number in range(20):
            await broker.publish("q", b"old", str(number))
        await broker.purge("q")
        await broker.publish("q", b"new", "new")
        async with await broker.consumer("q") as consumer:
            assert [delivery.body for delivery in await consumer.lease(5, 5.0)] == [b"new"]


@pytest.mark.parametrize(
    "wrong", ["pulsar://", "pulsar://host/tenant", "pulsar://TOKEN@host", "pulsar://host?token=TOKEN", "pulsar://host:port"]
)
def test_wrong_urls(wrong: str) -> None:
    with pytest.raises(UsageError) as caught:
        PulsarAddress.parse(wrong)
    assert "TOKEN" not in str(caught.value)


def test_topics() -> None:
    address = PulsarAddress.parse("pulsar://a,b:1/tenant/space")
    assert address.service == "pulsar://a:6650,b:1"
    assert address.topic("persistent", "work 1/x") == "persistent://tenant/space/work%201%2Fx"
    assert not address.is_local

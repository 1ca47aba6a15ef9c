"""Who shares queues in memory, and for how long."""

from __future__ import annotations

import pytest

from ewms.brokers.base import Depth
from ewms.brokers.memory import MemoryBroker
from ewms.core.errors import BrokerRejected


async def test_brokers_of_one_name_share_until_the_last_is_closed() -> None:
    async with MemoryBroker("memory://shared") as one:
        async with MemoryBroker("memory://shared") as two:
            await two.declare("q", 1.0)
            await two.publish("q", b"", "1")
        assert await one.depth("q") == Depth(ready=1, leased=0)
    async with MemoryBroker("memory://shared") as later:
        with pytest.raises(BrokerRejected, match="q does not exist at memory://shared"):
            await later.depth("q")


async def test_a_broker_without_a_name_is_alone() -> None:
    async with MemoryBroker() as one, MemoryBroker("memory://") as two:
        await one.declare("q", 1.0)
        with pytest.raises(BrokerRejected):
            await two.depth("q")

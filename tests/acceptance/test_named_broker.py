"""A broker that the user names: shared, protected by a token, remembered for `ewms resume` and left clean."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ewms.brokers.embedded import EmbeddedNats
from ewms.brokers.urls import broker_for
from ewms.core.errors import BrokerRejected
from ewms.wms.driver import Queues
from tests.support.running import Running

CONSUMER = """
import time
from pathlib import Path

def work(number):
    while number >= 10 and not Path(__file__).with_name("gate").exists():
        time.sleep(0.01)
    return number + 1
"""
SPEC = """
name = "flow"

[[tasks]]
name = "work"
python = "work:work"
input = "numbers"
output = "results"
"""


@pytest.fixture
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedNats]:
    async with EmbeddedNats(tmp_path_factory.mktemp("broker")) as nats:
        yield nats


async def test_a_named_broker_is_used_and_remembered(server: EmbeddedNats, tmp_path: Path) -> None:
    running = Running(tmp_path)
    running.write(CONSUMER, SPEC, list(range(40)))
    running.start("--broker", server.url)
    try:
        await asyncio.to_thread(running.wait_accepted, 10)
        assert running.processes("nats-server") == []
        assert running.process is not None
        running.process.send_signal(signal.SIGINT)
        running.open_gate()
        await asyncio.to_thread(running.finish, 130)
        await asyncio.to_thread(running.call, "resume", "out")
    finally:
        if running.process is not None and running.process.poll() is None:
            running.kill_all()
    assert running.summary()["events"]["accepted"] == 40
    queues = Queues.of(running.summary()["workflow_id"])
    async with broker_for(server.url) as broker:
        for queue in (queues.work, queues.reports):
            with pytest.raises(BrokerRejected, match="does not exist"):
                await broker.depth(queue)

"""What a user wishes of a running workflow happens at once."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from ewms.core.errors import BrokerRejected
from ewms.core.service.phases import Wish, WorkflowState
from ewms.wms.driver import Queues
from tests.support.driving import Site, jsonl

CODE = b"""
import os, time
def work(number):
    while not os.path.exists(os.environ["GATE"]):
        time.sleep(0.01)
    time.sleep(0.01)
    return number
"""
SPEC = {"name": "gated", "tasks": [{"name": "work", "python": "work:work", "input": "numbers", "bundle": 1}]}
COUNT = 200


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Consumers wait for this file."""
    monkeypatch.setenv("GATE", str(tmp_path / "gate"))
    return tmp_path / "gate"


async def begin(site: Site) -> str:
    await site.start_host()
    return await site.submit(SPEC, {"code/work.py": CODE, "inputs/numbers.jsonl": jsonl(range(COUNT))})


async def until_empty(site: Site, queue: str) -> None:
    """Until nothing is in a queue and nobody holds anything of it."""
    async with asyncio.timeout(10):
        depth = await site.broker.depth(queue)
        while depth.ready or depth.leased:
            await asyncio.sleep(0.05)
            depth = await site.broker.depth(queue)


async def test_a_paused_workflow_sends_nothing_and_goes_on_later(site: Site, gate: Path) -> None:
    await asyncio.to_thread(gate.touch)
    identity = await begin(site)
    await site.start_pilots(identity)
    await site.wait(identity, lambda document: document.counts.get("accepted", 0) >= 10, "the first outcomes")
    await site.wish(identity, Wish.PAUSE)
    await site.wait_state(identity, WorkflowState.PAUSED, deadline=5)
    await until_empty(site, Queues.of(identity).work)
    paused = (await site.document(identity)).counts["accepted"]
    assert paused < COUNT
    await site.wish(identity, Wish.RUN)
    document = await site.wait_state(identity, WorkflowState.COMPLETE)
    assert document.counts["accepted"] == COUNT


@pytest.mark.usefixtures("gate")
async def test_a_cancelled_workflow_leaves_nothing_at_the_broker(site: Site) -> None:
    identity = await begin(site)
    await site.start_pilots(identity)
    await site.wish(identity, Wish.CANCEL)
    cancelled_at = time.monotonic()
    document = await site.wait_state(identity, WorkflowState.CANCELLED)
    assert time.monotonic() - cancelled_at < 5
    assert document.product == ()
    for name in (Queues.of(identity).work, Queues.of(identity).reports):
        with pytest.raises(BrokerRejected):
            await site.broker.depth(name)


@pytest.mark.usefixtures("gate")
async def test_a_workflow_is_cancelled_before_any_pilot_came(site: Site) -> None:
    identity = await begin(site)
    await site.wish(identity, Wish.CANCEL)
    document = await site.wait_state(identity, WorkflowState.CANCELLED)
    assert document.counts.get("accepted", 0) == 0
    assert not document.active


async def test_finishing_takes_no_more_input_and_completes_what_was_sent(site: Site) -> None:
    await site.start_host()
    spec = {"name": "long", "window": 16, "tasks": [{"name": "work", "python": "work:work", "input": "numbers"}]}
    code = b"def work(number):\n    return number\n"
    identity = await site.submit(spec, {"code/work.py": code, "inputs/numbers.jsonl": jsonl(range(100_000))})
    await site.wait(identity, lambda document: bool(document.tasks) and document.tasks["work"].planned > 0, "events")
    await site.wish(identity, Wish.FINISH)
    await site.start_pilots(identity)
    document = await site.wait_state(identity, WorkflowState.COMPLETE)
    assert 0 < document.counts["accepted"] == document.tasks["work"].planned < 100_000

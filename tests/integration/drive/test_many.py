"""Many workflows at once at one host."""

from __future__ import annotations

import asyncio

import psutil
import pytest

from ewms.core.service.phases import WorkflowState
from tests.support.driving import Site, jsonl, work_off

SPEC = {"name": "small", "tasks": [{"name": "work", "python": "work:work", "input": "numbers"}]}
EVENTS = 5


async def start(site: Site) -> psutil.Process:
    """A host, as the machine sees it."""
    host = await site.start_host()
    return psutil.Process(host.process.pid)


async def drive(site: Site, count: int) -> None:
    """So many small workflows from submission to product, their pilots being hands in this process."""
    uploads = {"inputs/numbers.jsonl": jsonl(range(EVENTS))}
    identities = await asyncio.gather(*(site.submit(SPEC, uploads) for _ in range(count)))
    async with asyncio.TaskGroup() as group:
        for identity in identities:
            group.create_task(work_off(site, identity, EVENTS))
    for identity in identities:
        document = await site.wait_state(identity, WorkflowState.COMPLETE, deadline=100)
        assert document.counts["accepted"] == EVENTS
        assert site.content(document, "product/outcomes.jsonl").count(b"\n") == EVENTS


async def test_fifty_small_workflows_at_once(site: Site) -> None:
    process = await start(site)
    await drive(site, 50)
    assert process.num_threads() < 50  # each workflow has given back its own


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_five_hundred_small_workflows_at_once_again_and_again(site: Site) -> None:
    process = await start(site)
    sizes = []
    for _ in range(7):
        await drive(site, 500)
        sizes.append(process.memory_info().rss)

    assert max(sizes) < 400 << 20
    assert sizes[-1] < 1.2 * sizes[0]

"""A broker that is away only delays what a driver host does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from ewms.brokers.embedded import EmbeddedNats
from ewms.brokers.urls import broker_for
from ewms.cli.drive import settings_from
from ewms.core.service.phases import WorkflowState
from ewms.drive.host import DriverHost
from ewms.drive.services import Services
from ewms.wms.news import News
from tests.support.driving import HostProcess, Site, jsonl, open_site, work_off

CODE = b"""
import time
def work(number):
    time.sleep(0.01)
    return number
"""
SPEC = {"name": "small", "tasks": [{"name": "work", "python": "work:work", "input": "numbers"}]}
COUNT = 200


async def submit(site: Site, count: int = COUNT) -> str:
    return await site.submit(SPEC, {"code/work.py": CODE, "inputs/numbers.jsonl": jsonl(range(count))})


async def test_a_host_waits_for_a_broker_that_is_not_there_yet(tmp_path: Path) -> None:
    async with EmbeddedNats(tmp_path / "broker", keep_port=True) as server:
        url = server.url
    async with contextlib.AsyncExitStack() as stack:
        host = HostProcess(tmp_path, url)
        stack.push_async_callback(host.kill)
        await host.start()
        await host.wait_log("broker_awaited")
        await stack.enter_async_context(EmbeddedNats(tmp_path / "broker", keep_port=True))
        site = await stack.enter_async_context(open_site(tmp_path, url))
        identity = await submit(site, 5)
        await work_off(site, identity, 5)
        await site.wait_state(identity, WorkflowState.COMPLETE)


async def test_a_killed_broker_loses_nothing(site: Site) -> None:
    await site.start_host()
    identity = await submit(site)
    await site.start_pilots(identity)
    await site.wait(identity, lambda document: document.counts.get("accepted", 0) > 20, "outcomes")
    for process in psutil.Process().children():
        if process.name() == "nats-server":
            process.kill()
    document = await site.wait_state(identity, WorkflowState.COMPLETE)
    assert document.counts["accepted"] == COUNT


@contextlib.asynccontextmanager
async def hosting(site: Site, patience: float) -> AsyncIterator[DriverHost]:
    """A host in this process that gives a broker up soon."""
    settings = settings_from(HostProcess(site.folder, site.broker_url).config, None, "host", 100)
    settings.folder.mkdir(parents=True)
    async with broker_for(site.broker_url, patience=patience) as broker, News(broker) as news:
        host = DriverHost(Services(settings=settings, store=site.store, broker=broker, news=news, files=site.files))
        running = asyncio.create_task(host.run())
        yield host
        host.stop()
        await running


async def test_a_broker_that_is_long_away_interrupts_and_fails_no_workflow(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(EmbeddedNats(tmp_path / "broker", keep_port=True))
        async with open_site(tmp_path, server.url) as site, hosting(site, patience=0.5):
            identity = await submit(site, 5)
            await site.wait(identity, lambda document: document.active, "active queues")
            with caplog.at_level(logging.WARNING, "ewms.drive"):
                await stack.aclose()
                async with asyncio.timeout(30):
                    while not any(record.message == "workflow_interrupted" for record in caplog.records):  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
            assert (await site.document(identity)).state is WorkflowState.RUNNING
            await stack.enter_async_context(EmbeddedNats(tmp_path / "broker", keep_port=True))
            await work_off(site, identity, 5)
            await site.wait_state(identity, WorkflowState.COMPLETE)

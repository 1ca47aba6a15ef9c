"""The TMS with the real service, a driver host and real pilots: from a request to a product, and nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ewms.brokers.embedded import EmbeddedNats
from ewms.drive.host import DriverHost
from ewms.drive.services import open_services
from ewms.drive.settings import HostSettings
from ewms.tms.backends.local import mark_of
from ewms.tms.configuration import setups_of
from ewms.tms.folder import ClusterFolder, write_private
from ewms.tms.launchers.reap import kill_marked
from ewms.tms.serving import connector, run_cluster
from tests.support.service import running_service
from tests.support.taskforces import pilots

SPEC = {"name": "naps", "tasks": [{"name": "nap", "python": "work:nap", "input": "naps"}]}
CODE = b"""
import pathlib
import time

def nap(event):
    pathlib.Path(event["sign"]).touch()
    time.sleep(event["seconds"])
    return event["seconds"]
"""
ENDED = {"complete", "failed", "cancelled"}


@dataclass
class Place:
    """Everything that runs."""

    client: httpx2.AsyncClient
    folder: ClusterFolder
    sign: Path
    """Is there as soon as an event is worked on."""

    async def workflow(self, workflow_id: str) -> dict[str, Any]:
        """As the service shows it."""
        document: dict[str, Any] = (await self.client.get(f"/api/workflows/{workflow_id}")).json()
        return document

    async def submit(self, events: int, seconds: float) -> str:
        """Submit a workflow of events that take so long; its id."""
        files = {}
        naps = json.dumps({"seconds": seconds, "sign": str(self.sign)}).encode() + b"\n"
        for name, data in (("code/work.py", CODE), ("inputs/naps.jsonl", events * naps)):
            files[name] = hashlib.sha256(data).hexdigest()
            (await self.client.put(f"/api/files/{files[name]}", content=data)).raise_for_status()
        answer = await self.client.post("/api/workflows", json={"spec": SPEC, "files": files})
        assert answer.status_code == 201, answer.text
        workflow_id: str = answer.json()["workflow_id"]
        return workflow_id

    async def phases(self, workflow_id: str) -> set[str]:
        """Where its taskforces are."""
        return {taskforce["phase"] for taskforce in await self.taskforces(workflow_id)}

    async def taskforces(self, workflow_id: str) -> list[dict[str, Any]]:
        """Of a workflow, as EWMS's clients see them."""
        answer = await self.client.post("/v1/query/taskforces", json={"query": {"workflow_id": workflow_id}})
        found: list[dict[str, Any]] = answer.json()["taskforces"]
        return found


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    stop = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        broker = await stack.enter_async_context(EmbeddedNats(tmp_path / "broker"))
        secret = tmp_path / "broker.url"
        write_private(secret, broker.url.encode())
        tables = {"service": {"broker": f"file:{secret}"}, "access": {"anonymous": True, "shared_credentials": True}}
        service = await stack.enter_async_context(running_service(tmp_path, **tables))
        configuration = service.state.configuration
        configuration = configuration.model_copy(
            update={"service": configuration.service.model_copy(update={"url": service.url})}
        )
        settings = {
            "store": configuration.service.store_url,
            "broker": broker.url,
            "files": configuration.service.files_url,
            "blobs": configuration.blobs_url,
            "folder": tmp_path / "drive",
            "lease": 2.0,
        }
        host = DriverHost(await stack.enter_async_context(open_services(HostSettings.model_validate(settings))))
        driving = asyncio.create_task(host.run())
        (setup,) = setups_of(configuration)
        launching = asyncio.create_task(run_cluster(setup, connector(lambda: ""), stop))
        folder = ClusterFolder(setup.folder)
        try:
            async with service.client() as client:
                yield Place(client, folder, tmp_path / "sign")
        finally:
            stop.set()
            host.stop()
            await asyncio.gather(driving, launching)
            kill_marked(mark_of(folder))


async def until(condition: Callable[[], Awaitable[Any]], what: str, seconds: float = 20.0) -> None:
    """Wait for a condition; fails after a deadline."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if await condition():
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"waited {seconds} s in vain for {what}")


async def test_from_a_request_to_a_product_and_nothing_is_left(place: Place) -> None:
    workflow_id = await place.submit(20, 0.01)

    async def submitted() -> bool:
        return "condor-submit" in await place.phases(workflow_id)

    async def ended() -> bool:
        return (await place.workflow(workflow_id))["state"] in ENDED

    async def torn_down() -> bool:
        return await place.phases(workflow_id) == {"condor-complete"}

    await until(submitted, "a submission")
    await until(ended, "the end")
    assert (await place.workflow(workflow_id))["state"] == "complete"
    await until(torn_down, "the end of its taskforces")
    assert not pilots(place.folder)


async def test_what_is_cancelled_at_work_leaves_nothing(place: Place) -> None:
    workflow_id = await place.submit(4, 60.0)

    async def at_work() -> bool:
        return place.sign.exists()

    async def torn_down() -> bool:
        return await place.phases(workflow_id) == {"condor-complete"}

    await until(at_work, "pilots at work")
    (await place.client.post(f"/api/workflows/{workflow_id}/actions/cancel")).raise_for_status()
    await until(torn_down, "the end of its taskforces")
    assert not pilots(place.folder)

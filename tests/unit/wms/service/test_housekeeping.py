"""A repeated submission is known as one for a week, a plugin's documents for as long as it says."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

from fastapi import APIRouter

from ewms.core.service.new_workflow import NewWorkflow
from ewms.services import PluginHost, ServicePlugin
from ewms.stores.collections import REPEATS
from ewms.stores.store import Insert
from ewms.wms.service.housekeeping import REMEMBERED_SECONDS, Housekeeping
from ewms.wms.service.plugin import remembered_by
from ewms.wms.service.repeats import Repeat, digest_of, first, insertion
from ewms.wms.service.state import ServiceState
from tests.support.conditions import until
from tests.support.service import running_service, service_with

REQUEST = NewWorkflow(spec={"name": "x"})


class Jobs(ServicePlugin):
    """Keeps jobs for a minute, and notes for ever."""

    collections = {"jobs": (("timestamp",),), "notes": (("timestamp",),)}
    remembered = {"jobs": 60.0}

    def router(self, host: PluginHost) -> APIRouter:
        return APIRouter()


async def clear(state: ServiceState, remembered: dict[str, float], collection: str) -> None:
    """Keep house until one document is left of a collection."""
    task = asyncio.create_task(Housekeeping(state, remembered).run())

    async def is_cleared() -> bool:
        return await state.store.count(collection) == 1

    try:
        await until(is_cleared, f"one document of {collection}")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_old_keys_are_forgotten_and_young_ones_are_not(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service:
        store = service.state.store
        now = service.state.clock()
        for number in range(3):
            repeat = Repeat(owner="ada", digest=digest_of(REQUEST), workflow_id=f"WF-{number}", timestamp=now + number)
            await store.write(insertion(f"key-{number}", repeat))
        later = dataclasses.replace(service.state, clock=lambda: now + REMEMBERED_SECONDS + 1.5)
        await clear(later, {}, REPEATS)
        assert await first(store, "ada", "key-2", REQUEST) == "WF-2"
        assert await first(store, "bob", "key-2", REQUEST) is None, "keys are the owner's"


async def test_a_plugin_says_how_long_its_documents_are_kept(tmp_path: Path) -> None:
    plugins = {"work": Jobs()}
    async with service_with(plugins, tmp_path) as service:
        now = service.state.clock()
        for collection in ("work_jobs", "work_notes"):
            for age in (70.0, 50.0):
                await service.state.store.write(Insert(collection=collection, key=f"{age}", body={"timestamp": now - age}))
        await clear(service.state, remembered_by(plugins), "work_jobs")
        (kept,) = (await service.state.store.find("work_jobs")).items
        assert kept.key == "50.0"
        assert await service.state.store.count("work_notes") == 2

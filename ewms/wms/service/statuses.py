"""What a TMS says of workers, written into the documents of their taskforces."""

from __future__ import annotations

import asyncio
from typing import Any

from ewms.core.errors import Conflict, InputError
from ewms.core.service.objects import UpdateResult
from ewms.core.service.requests import StatusesNotice
from ewms.stores.collections import TASKFORCES
from ewms.stores.store import Replace
from ewms.wms.service.state import ServiceState


async def update_statuses(state: ServiceState, notice: StatusesNotice) -> list[UpdateResult]:
    """Keep the statuses and errors of every taskforce that is named and known; what became of each.

    Raises `InputError` where none is named.
    """
    updates: dict[str, dict[str, Any]] = {}
    for uuid, statuses in (notice.compound_statuses_by_taskforce or {}).items():
        updates.setdefault(uuid, {})["compound_statuses"] = statuses
    for uuid, errors in (notice.top_task_errors_by_taskforce or {}).items():
        updates.setdefault(uuid, {})["top_task_errors"] = errors
    if not updates:
        raise InputError(
            "no statuses are given; name taskforces in compound_statuses_by_taskforce or top_task_errors_by_taskforce"
        )
    return list(await asyncio.gather(*(_update(state, uuid, update) for uuid, update in updates.items())))


async def _update(state: ServiceState, uuid: str, update: dict[str, Any]) -> UpdateResult:
    while True:
        stored = await state.store.get(TASKFORCES, uuid)
        if stored is None:
            return {"uuid": uuid, "status": "failed", "error": "no taskforce found with uuid"}
        body = stored.body | update
        try:
            if body != stored.body:
                await state.store.write(Replace(collection=TASKFORCES, key=uuid, version=stored.version, body=body))
                await state.news.publish(TASKFORCES, uuid)
        except Conflict:
            continue
        return {"uuid": uuid, "status": "updated"}

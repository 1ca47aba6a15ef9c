"""`/`, `/scans/…` and `/scan-request/…`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query

from skymap_scanner.skydriver.manifest import shown, stored_request
from skymap_scanner.skydriver.request import FindRequest
from skymap_scanner.skydriver.scans import Scans

FORBIDDEN = frozenset({"ewms_task", "event_i3live_json_dict", "event_i3live_json_dict__hash"})
"""Fields that lists do not show."""
_AT_ONCE = 32
Manifest = dict[str, Any]


def router(scans: Scans) -> APIRouter:
    """The routes on many scans."""
    routes = APIRouter()

    @routes.get("/", tags=["root"])
    async def get_root() -> dict[str, Any]:
        """Whether it answers."""
        return {}

    @routes.post("/scans/find", tags=["scans"])
    async def find(
        body: FindRequest,
        limit: Annotated[int, Query(ge=1, le=1000, description="Most manifests in one answer.")] = 1000,
        after: Annotated[str | None, Query(description="`after` of the answer before.")] = None,
    ) -> dict[str, Any]:
        """Manifests that satisfy a filter, newest first: `total` of them, and `after` where this answer is cut."""
        shown({}, body.manifest_projection, FORBIDDEN)
        found = await scans.find(body.filter, include_deleted=body.include_deleted, after=after, limit=limit)
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(number: int) -> Manifest:
            async with room:
                return shown(await scans.manifest(found.items[number]), body.manifest_projection, FORBIDDEN)

        manifests = await asyncio.gather(*(one(number) for number in range(len(found.items))))
        return {"manifests": manifests, "total": found.total, "after": found.after}

    @routes.get("/scans/backlog", tags=["backlog"])
    async def backlog() -> dict[str, Any]:
        """Scans that nobody works on yet, in the order in which they will be begun."""
        return {
            "entries": [
                {
                    "scan_id": view.scan.scan_id,
                    "timestamp": view.scan.timestamp,
                    "priority": view.scan.priority,
                    "pending_timestamp": view.scan.due,
                    "next_attempt": view.scan.attempts,
                    "reason": view.reason,
                }
                for view in await scans.backlog()
            ]
        }

    @routes.get("/scan-request/{scan_id}", tags=["scan-request"])
    async def get_request(scan_id: str) -> dict[str, Any]:
        """What a scan was asked for with, also for one that a rescan made."""
        scan = await scans.get(scan_id)
        clusters = {name: cluster.max_workers for name, cluster in scans.host.clusters().items()}
        return stored_request(scan, clusters)

    return routes

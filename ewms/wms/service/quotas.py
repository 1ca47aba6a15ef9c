"""Limits per owner, kept exactly: who takes part of one waits for whoever is taking another part of it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ewms.core.errors import Forbidden
from ewms.core.query import Query
from ewms.core.service.configuration import Configuration
from ewms.core.service.phases import FINAL, WorkflowState
from ewms.stores.collections import WORKFLOWS
from ewms.stores.store import Store

BYTES = "bytes"
"""Counter of what an owner has uploaded and not removed."""
_UNFINISHED = sorted(state.value for state in WorkflowState if state not in FINAL)


def uploads_of(owner: str) -> str:
    """The owner, in the store's counters, of what somebody has uploaded."""
    return f"uploads/{owner}"


class Quotas:
    """Those of the configuration.

    Parameters
    ----------
    store
        Where things are counted.
    """

    def __init__(self, configuration: Configuration, store: Store) -> None:
        self._configuration = configuration
        self._store = store
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def one_more_workflow(self, owner: str, workers: int | None) -> AsyncIterator[None]:
        """Room for a workflow that is written inside the block; `Forbidden` where there is none.

        Parameters
        ----------
        workers
            Most that it is to have; None leaves that to the scheduler, which keeps within the quota.
        """
        self.check_workers(owner, workers or 0)
        limit = self._configuration.quota_of(owner).workflows
        if limit is None:
            yield
            return
        async with self.alone(owner):
            unfinished = await self._store.count(WORKFLOWS, Query.parse({"owner": owner, "state": {"$in": _UNFINISHED}}))
            if unfinished >= limit:
                raise Forbidden(f"{owner} has {unfinished} unfinished workflows, and may have {limit}; finish or cancel one")
            yield

    def check_workers(self, owner: str, workers: int) -> None:
        """`Forbidden` for more workers than the owner may have."""
        limit = self._configuration.quota_of(owner).workers
        if limit is not None and workers > limit:
            raise Forbidden(f"{owner} may have {limit} workers, and this asks for {workers}; ask for fewer")

    @asynccontextmanager
    async def more_bytes(self, owner: str, size: int) -> AsyncIterator[None]:
        """Room for an upload that is registered inside the block; `Forbidden` where there is none."""
        limit = self._configuration.quota_of(owner).upload
        async with self.alone(owner):
            kept = (await self._store.counters(uploads_of(owner))).get(BYTES, 0)
            if limit is not None and kept + size > limit:
                raise Forbidden(
                    f"{owner} keeps {kept} bytes of uploads, and may keep {limit}: {size} more are too many; remove some"
                )
            yield

    def alone(self, owner: str) -> asyncio.Lock:
        """Held, nobody else takes or gives back part of this owner's quota."""
        return self._locks[owner]

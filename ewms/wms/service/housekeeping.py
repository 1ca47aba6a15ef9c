"""Clears away what nobody asks for any more: old keys of submissions, old documents of plugins, uploads that broke off."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Mapping

from ewms.core.query import Query
from ewms.stores.collections import REPEATS
from ewms.stores.store import Delete
from ewms.wms.service.state import ServiceState

REMEMBERED_SECONDS = 7 * 86400.0
"""For which a repeated submission is known as one."""
_PAUSE_SECONDS = 3600.0
_AT_ONCE = 500
_log = logging.getLogger("ewms.service")


class Housekeeping:
    """Once at the start, then every hour.

    Parameters
    ----------
    remembered
        Further collections whose documents go so many seconds after their `timestamp`.
    """

    def __init__(self, state: ServiceState, remembered: Mapping[str, float]) -> None:
        self._state = state
        self._remembered = {REPEATS: REMEMBERED_SECONDS, **remembered}

    async def run(self) -> None:
        """Clear away until the service ends."""
        incoming = self._state.configuration.service.data / "incoming"
        await asyncio.to_thread(shutil.rmtree, incoming, ignore_errors=True)  # of a service that was killed
        while not self._state.stopping.is_set():
            for collection, seconds in self._remembered.items():
                if forgotten := await self._forget(collection, seconds):
                    _log.info("documents_forgotten", extra={"collection": collection, "count": forgotten})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PAUSE_SECONDS):
                    await self._state.stopping.wait()

    async def _forget(self, collection: str, seconds: float) -> int:
        query = Query.parse({"timestamp": {"$lt": self._state.clock() - seconds}})
        count = 0
        while (page := await self._state.store.find(collection, query, limit=_AT_ONCE)).items:
            await self._state.store.write(*(Delete(collection=collection, key=stored.key) for stored in page.items))
            count += len(page.items)
        return count

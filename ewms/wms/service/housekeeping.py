"""Clears away what nobody asks for any more: keys of submissions after a week, uploads that broke off."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil

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
    """Once at the start, then every hour."""

    def __init__(self, state: ServiceState) -> None:
        self._state = state

    async def run(self) -> None:
        """Clear away until the service ends."""
        incoming = self._state.configuration.service.data / "incoming"
        await asyncio.to_thread(shutil.rmtree, incoming, ignore_errors=True)  # of a service that was killed
        while not self._state.stopping.is_set():
            if forgotten := await self.forget_repeats():
                _log.info("repeats_forgotten", extra={"count": forgotten})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PAUSE_SECONDS):
                    await self._state.stopping.wait()

    async def forget_repeats(self) -> int:
        """Forget old keys of submissions; how many."""
        query = Query.parse({"timestamp": {"$lt": self._state.clock() - REMEMBERED_SECONDS}})
        count = 0
        while (page := await self._state.store.find(REPEATS, query, limit=_AT_ONCE)).items:
            await self._state.store.write(*(Delete(collection=REPEATS, key=stored.key) for stored in page.items))
            count += len(page.items)
        return count

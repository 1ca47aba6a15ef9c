"""One listener to changes of workflows: it keeps the latest sight of each until that is read."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from ewms.core.service.workflow import WorkflowDocument
from ewms.wms.access.caller import Caller
from ewms.wms.service.permission import may_see


class Sight(NamedTuple):
    """A workflow as it was seen."""

    number: int
    """Grows with everything that is seen."""
    version: int
    """Of the document."""
    workflow: WorkflowDocument
    """The document."""
    rates: dict[str, float]
    """Events per second by task, as far as known."""


class Watcher:
    """What one listener has yet to read: the latest sight of each workflow.

    Parameters
    ----------
    caller
        Who listens, and is shown what they may see.
    workflow_id
        Only this one; None for all.
    """

    def __init__(self, caller: Caller, workflow_id: str | None) -> None:
        self.workflow_id = workflow_id
        """Which it is about; None for all."""
        self._caller = caller
        self._unread: dict[str, Sight] = {}
        self._filled = asyncio.Event()

    def put(self, sight: Sight) -> None:
        """Take in a sight, in place of an earlier one of the same workflow."""
        workflow = sight.workflow
        if self.workflow_id in {None, workflow.workflow_id} and may_see(self._caller, workflow.owner):
            self._unread[workflow.workflow_id] = sight
            self._filled.set()

    async def sights(self, seconds: float) -> list[Sight]:
        """What has come, in order; nothing after that many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._filled.wait()
        except TimeoutError:
            return []
        self._filled.clear()
        unread, self._unread = self._unread, {}
        return sorted(unread.values(), key=lambda sight: sight.number)

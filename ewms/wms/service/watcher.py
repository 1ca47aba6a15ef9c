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

    async def sights(self, seconds: float, stopping: asyncio.Event) -> list[Sight]:
        """What has come, in order, as soon as there is any; nothing after so many seconds, or when the service ends."""
        filling = asyncio.create_task(self._filled.wait())
        ending = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({filling, ending}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (filling, ending):
                task.cancel()
            await asyncio.gather(filling, ending, return_exceptions=True)
        self._filled.clear()
        unread, self._unread = self._unread, {}
        return sorted(unread.values(), key=lambda sight: sight.number)

"""One listener to changes of workflows: it keeps the latest sight of each until that is read."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from functools import cached_property

import pydantic_core

from ewms.core.service.workflow import WorkflowDocument
from ewms.wms.access.caller import Caller
from ewms.wms.service.permission import may_see

_SUMMARY = frozenset(
    {"workflow_id", "name", "owner", "labels", "priority", "workers", "state", "reason", "wish", "counts", "tasks", "note"}
    | {"product", "partial", "partial_number"}
)


@dataclass(frozen=True)
class Sight:
    """A workflow as it was seen; what is sent of it is made once for all who listen."""

    number: int
    """Grows with everything that is seen."""
    version: int
    """Of the document."""
    workflow: WorkflowDocument
    """The document."""
    rates: dict[str, float]
    """Events per second by task, as far as known."""

    @cached_property
    def document(self) -> str:
        """The document as JSON."""
        return self.workflow.model_dump_json()

    @cached_property
    def summary(self) -> str:
        """As JSON: what changes while it runs and what it is known by, its version and rates."""
        fields = self.workflow.model_dump(mode="json", include=set(_SUMMARY))
        return pydantic_core.to_json(fields | {"version": self.version, "rates": self.rates}).decode()


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
        self._ended = asyncio.Event()

    def put(self, sight: Sight) -> None:
        """Take in a sight, in place of an earlier one of the same workflow."""
        workflow = sight.workflow
        if self.workflow_id in {None, workflow.workflow_id} and may_see(self._caller, workflow.owner):
            self._unread[workflow.workflow_id] = sight
            self._filled.set()

    async def sights(self, seconds: float) -> list[Sight]:
        """What has come, in order, as soon as there is any; nothing after so many seconds, or when the service ends."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._filled.wait()
        self._filled.clear()
        unread, self._unread = self._unread, {}
        return sorted(unread.values(), key=lambda sight: sight.number)

    def end(self) -> None:
        """Have nobody wait any longer: the service ends."""
        self._ended.set()
        self._filled.set()

    async def rest(self, seconds: float) -> None:
        """Wait, but not beyond the end of the service: what comes meanwhile is put together."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()

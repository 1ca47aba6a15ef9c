"""What the control loop knows of the store: every workflow that is not over, and its taskforces.

Documents are read again when news or a look says that they changed, and parsed only when their version did.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

from pydantic import BaseModel

from ewms.core.service.course import is_closable
from ewms.core.service.phases import Phase, WorkflowState
from ewms.core.service.taskforce import TaskforceDocument
from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.collections import TASKFORCES, WORKFLOWS
from ewms.stores.store import Store, Stored
from ewms.wms.news import Item
from ewms.wms.service.lookup import find_all

M = TypeVar("M", bound=BaseModel)
_LIVE = [WorkflowState.PENDING, WorkflowState.RUNNING, WorkflowState.PAUSED]
_UNENDED = [phase for phase in Phase if phase is not Phase.CONDOR_COMPLETE]


class Known(NamedTuple, Generic[M]):
    """A document as it was read last."""

    stored: Stored
    """As the store has it."""
    document: M
    """As a model."""


class Case:
    """A workflow and its taskforces."""

    def __init__(self, workflow: Known[WorkflowDocument]) -> None:
        self.workflow = workflow
        self.taskforces: dict[str, Known[TaskforceDocument]] = {}

    @property
    def documents(self) -> list[TaskforceDocument]:
        """Its taskforces."""
        return [known.document for known in self.taskforces.values()]

    @property
    def is_over(self) -> bool:
        """Nothing is to be done about it until its workflow changes."""
        workflow = self.workflow.document
        has_ended = all(taskforce.phase is Phase.CONDOR_COMPLETE for taskforce in self.documents)
        return workflow.state not in _LIVE and has_ended and not is_closable(workflow, self.documents)


class Picture:
    """Cases by workflow; `load` it first, then `look` and take in `news`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cases: dict[str, Case] = {}

    def __iter__(self) -> Iterator[Case]:
        return iter(list(self._cases.values()))

    async def load(self) -> None:
        """Read everything that is not over."""
        filters: list[dict[str, object]] = [{"state": {"$in": _LIVE}}, {"closing": True}]
        for filter_ in filters:
            for stored in await find_all(self._store, WORKFLOWS, filter_):
                await self._take_workflow(stored)
        unended = await find_all(self._store, TASKFORCES, {"phase": {"$in": _UNENDED}})
        await self._read({str(stored.body["workflow_id"]) for stored in unended}.difference(self._cases))

    async def look(self) -> None:
        """Notice what no news told of: the documents of workflows are read again, those of taskforces change here alone."""
        live = await find_all(self._store, WORKFLOWS, {"state": {"$in": _LIVE}})
        for stored in live:
            await self._take_workflow(stored)
        await self._read(self._cases.keys() - {stored.key for stored in live})

    async def take_news(self, items: Iterable[Item]) -> None:
        """Read what is said to have changed."""
        await self._read({item.key for item in items if item.kind == WORKFLOWS})
        keys = [item.key for item in items if item.kind == TASKFORCES]
        for stored in await asyncio.gather(*(self._store.get(TASKFORCES, key) for key in keys)):
            if stored is not None:
                await self._take_taskforce(stored)

    async def reread(self, workflow_id: str) -> None:
        """Read a workflow and all its taskforces: somebody else has changed one of them."""
        self._cases.pop(workflow_id, None)
        await self._read([workflow_id])

    def put(self, stored: Stored, workflow_id: str) -> None:
        """Take in a taskforce that was written here just now."""
        case = self._cases.get(workflow_id)
        if case is not None:
            case.taskforces[stored.key] = Known(stored, TaskforceDocument.model_validate(stored.body))

    def forget_what_is_over(self) -> None:
        """Keep no case that is over."""
        self._cases = {key: case for key, case in self._cases.items() if not case.is_over}

    async def _read(self, keys: Iterable[str]) -> None:
        keys = list(keys)
        for key, stored in zip(keys, await asyncio.gather(*(self._store.get(WORKFLOWS, key) for key in keys)), strict=True):
            if stored is None:
                self._cases.pop(key, None)
            else:
                await self._take_workflow(stored)

    async def _take_workflow(self, stored: Stored) -> None:
        case = self._cases.get(stored.key)
        if case is not None and case.workflow.stored.version >= stored.version:
            return
        known = Known(stored, WorkflowDocument.model_validate(stored.body))
        if case is not None:
            case.workflow = known
            return
        case = Case(known)
        for found in await find_all(self._store, TASKFORCES, {"workflow_id": stored.key}):
            case.taskforces[found.key] = Known(found, TaskforceDocument.model_validate(found.body))
        self._cases[stored.key] = case

    async def _take_taskforce(self, stored: Stored) -> None:
        workflow_id = str(stored.body["workflow_id"])
        case = self._cases.get(workflow_id)
        if case is None:
            await self._read([workflow_id])
            return
        known = case.taskforces.get(stored.key)
        if known is None or known.stored.version < stored.version:
            case.taskforces[stored.key] = Known(stored, TaskforceDocument.model_validate(stored.body))

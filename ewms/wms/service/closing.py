"""What is left of a workflow that is over: credentials are revoked, and queues deleted that nobody reads any more."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from ewms.core.errors import BrokerError, Conflict, StoreError
from ewms.core.service.course import is_closable
from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.collections import WORKFLOWS
from ewms.stores.store import Replace
from ewms.wms.driver import Queues
from ewms.wms.service.lookup import taskforces_of
from ewms.wms.service.state import ServiceState

_AT_ONCE = 16
_PAUSE = 5.0
_log = logging.getLogger("ewms.control")


class Closing:
    """Closes workflows beside the control loop, since a broker may keep it waiting."""

    def __init__(self, state: ServiceState) -> None:
        self._state = state
        self._waiting: dict[str, None] = {}
        self._filled = asyncio.Event()

    def put(self, workflow_id: str) -> None:
        """Close a workflow soon, if it may be closed then."""
        self._waiting[workflow_id] = None
        self._filled.set()

    async def run(self) -> None:
        """Close what is put, until cancelled."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            waiting, self._waiting = list(self._waiting), {}
            for start in range(0, len(waiting), _AT_ONCE):
                await asyncio.gather(*(self._try_to_close(each) for each in waiting[start : start + _AT_ONCE]))

    async def _try_to_close(self, workflow_id: str) -> None:
        try:
            await self._close(workflow_id)
        except (BrokerError, StoreError) as error:
            _log.warning("workflow_not_closed", extra={"workflow_id": workflow_id, "reason": str(error)})
            await asyncio.sleep(_PAUSE)  # the control loop puts it again

    async def _close(self, workflow_id: str) -> None:
        """While `closing` is set no driver host takes the workflow up. Where a service dies in it, the next one goes on."""
        taskforces = [taskforce for _, taskforce in await taskforces_of(self._state.store, workflow_id)]
        workflow = await self._changed(
            workflow_id, lambda workflow: {"closing": True} if is_closable(workflow, taskforces) else None
        )
        if workflow is None:
            return
        queues = Queues.of(workflow_id)
        for queue in (queues.work, queues.reports, *workflow.public.values()):
            await self._state.broker.delete(queue)
        await self._state.access.credentials.revoke(workflow_id)
        await self._changed(workflow_id, lambda workflow: {"closing": False, "closed": workflow.driver.epoch})
        _log.info("workflow_closed", extra={"workflow_id": workflow_id})

    async def _changed(
        self, workflow_id: str, edit: Callable[[WorkflowDocument], dict[str, Any] | None]
    ) -> WorkflowDocument | None:
        """A workflow with what `edit` makes of it; None where that is None, or the workflow is gone."""
        while (stored := await self._state.store.get(WORKFLOWS, workflow_id)) is not None:
            workflow = WorkflowDocument.model_validate(stored.body)
            update = edit(workflow)
            if update is None:
                return None
            workflow = workflow.model_copy(update=update)
            body = workflow.model_dump(mode="json")
            replace = Replace(collection=WORKFLOWS, key=workflow_id, version=stored.version, body=body)
            with contextlib.suppress(Conflict):
                await self._state.store.write(replace)
                await self._state.news.publish(WORKFLOWS, workflow_id)
                return workflow
        return None

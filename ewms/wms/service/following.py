"""Workflows as they change, for whoever works beside the routes: as the streams of server-sent events are fed."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ewms.core.service.workflow import WorkflowDocument
from ewms.wms.access.caller import Caller
from ewms.wms.access.roles import Role
from ewms.wms.service.event_streams import check_room
from ewms.wms.service.lookup import workflow_of
from ewms.wms.service.state import ServiceState

_SECONDS = 15.0
_EVERYBODY = Caller(name="", role=Role.OPERATOR)


def followed(state: ServiceState, caller: Caller | None, workflow_id: str | None = None) -> AsyncIterator[WorkflowDocument]:
    """The latest document of each workflow that changes, until the service stops; of a single one, first as it is.

    Parameters
    ----------
    caller
        Is shown what they may see; None is one of the service's own loops, which sees all and is always given room.
    workflow_id
        Only this one.

    Raises
    ------
    HTTPException
        503: there are as many listeners as the service bears.
    NotFound
        When it is read: there is no such workflow, or it is not theirs.
    """
    if caller is not None:
        check_room(state)
    return _followed(state, caller or _EVERYBODY, workflow_id)


async def _followed(state: ServiceState, caller: Caller, workflow_id: str | None) -> AsyncIterator[WorkflowDocument]:
    with state.watch.watcher(caller, workflow_id) as watcher:
        if workflow_id is not None:
            yield (await workflow_of(state.store, caller, workflow_id))[1]
        while not state.stopping.is_set():
            for sight in await watcher.sights(_SECONDS):
                yield sight.workflow

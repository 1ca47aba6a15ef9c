"""`/v1/taskforces`: looking at a batch of pilots."""

from __future__ import annotations

from fastapi import APIRouter

from ewms.core.service.objects import TaskforceObject
from ewms.core.service.replies import taskforce_object
from ewms.wms.access.caller import CallerOf
from ewms.wms.service.lookup import log_of, taskforce_of
from ewms.wms.service.routes.v1.documented import NOT_FOUND, answers
from ewms.wms.service.state import State

router = APIRouter(prefix="/v1/taskforces", tags=["taskforces"])


@router.get("/{taskforce_uuid}", responses=answers(TaskforceObject, NOT_FOUND))
async def get_taskforce(taskforce_uuid: str, state: State, caller: CallerOf) -> TaskforceObject:
    """A taskforce, with the log of its phases."""
    _, taskforce = await taskforce_of(state.store, caller, taskforce_uuid)
    return taskforce_object(taskforce, await log_of(state.store, taskforce_uuid))

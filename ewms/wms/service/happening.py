"""What happens to taskforces, written: each change of a document with its entry in the log, or neither."""

from __future__ import annotations

import logging

from ewms.core.errors import Conflict
from ewms.core.service.taskforce import TaskforceDocument
from ewms.core.service.transitions import Change as Transition
from ewms.core.service.transitions import Event
from ewms.stores.collections import TASKFORCES
from ewms.stores.store import Append, Change, Replace, Stored
from ewms.wms.service.permission import not_found
from ewms.wms.service.state import ServiceState

_log = logging.getLogger("ewms.service")


def written(stored: Stored, transition: Transition) -> list[Change]:
    """What writes a transition; nothing where it changed nothing."""
    body = transition.taskforce.model_dump(mode="json")
    if body == stored.body and not transition.entries:
        return []
    entries = (Append(log=stored.key, entry=entry.model_dump(mode="json")) for entry in transition.entries)
    return [Replace(collection=TASKFORCES, key=stored.key, version=stored.version, body=body), *entries]


def log(transition: Transition) -> None:
    """Log the phases that a taskforce went through, by names such as `taskforce_condor_submit`."""
    taskforce = transition.taskforce
    for entry in transition.entries:
        _log.info(
            "taskforce_%s%s",
            entry.target_phase.replace("-", "_"),
            "" if entry.was_successful else "_failed",
            extra={
                "taskforce_uuid": taskforce.taskforce_uuid,
                "workflow_id": taskforce.workflow_id,
                "source": entry.source_entity,
                "reason": entry.context,
            },
        )


async def tell(state: ServiceState, uuid: str, event: Event) -> TaskforceDocument:
    """Have an event happen to a taskforce, on whatever it is by now; it as it is then.

    Raises `NotFound` where there is none, or where the event cannot happen any more.
    """
    while True:
        stored = await state.store.get(TASKFORCES, uuid)
        if stored is None:
            raise not_found(f"taskforce {uuid}")
        transition = event.apply(TaskforceDocument.model_validate(stored.body), state.clock())
        try:
            if changes := written(stored, transition):
                await state.store.write(*changes)
                log(transition)
                await state.news.publish(TASKFORCES, uuid)
        except Conflict:
            continue  # somebody else was faster: look at what it is now
        return transition.taskforce

"""Writing a new workflow: all of its documents at once, or none."""

from __future__ import annotations

import logging

from pydantic import BaseModel

from ewms.core.service.submission import Submission, first_entry
from ewms.core.service.taskforce import TaskforceDocument
from ewms.core.service.transitions import PhaseEntry
from ewms.stores.collections import QUEUES, TASK_DIRECTIVES, TASKFORCES, WORKFLOWS
from ewms.stores.store import Append, Change, Insert, Store
from ewms.wms.news import News
from ewms.wms.states import told

_log = logging.getLogger("ewms.service")


async def submit(store: Store, news: News, submission: Submission, *others: Change) -> None:
    """Write a workflow with its directives, taskforces and queues in one transaction, and tell the driver hosts.

    Parameters
    ----------
    others
        What else is written with them.
    """
    workflow = submission.workflow
    changes: list[Change] = [_insert(WORKFLOWS, workflow.workflow_id, workflow)]
    changes += (_insert(TASK_DIRECTIVES, directive.task_id, directive) for directive in submission.directives)
    changes += (_insert(QUEUES, queue.mqid, queue) for queue in submission.queues)
    for taskforce in submission.taskforces:
        changes += new_taskforce(taskforce, first_entry(taskforce))
    await store.write(*changes, *told(None, workflow, workflow.timestamp), *others)
    _log.info("workflow_submitted", extra={"workflow_id": workflow.workflow_id, "owner": workflow.owner})
    await news.publish(WORKFLOWS, workflow.workflow_id)


def new_taskforce(taskforce: TaskforceDocument, entry: PhaseEntry) -> tuple[Change, ...]:
    """What writes a taskforce with the first entry of its log."""
    return (
        _insert(TASKFORCES, taskforce.taskforce_uuid, taskforce),
        Append(log=taskforce.taskforce_uuid, entry=entry.model_dump(mode="json")),
    )


def _insert(collection: str, key: str, document: BaseModel) -> Insert:
    return Insert(collection=collection, key=key, body=document.model_dump(mode="json"))

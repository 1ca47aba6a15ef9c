"""Documents of ours as the objects of EWMS's interface. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from ewms.core.service.directive import TaskDirectiveDocument
from ewms.core.service.objects import (
    Criteria,
    MQGroupObject,
    MQProfileObject,
    PhaseChange,
    PilotConfig,
    TaskDirectiveObject,
    TaskforceObject,
    WorkerConfig,
    WorkflowObject,
)
from ewms.core.service.phases import Phase
from ewms.core.service.queue import QueueDocument
from ewms.core.service.taskforce import TaskforceDocument, WorkerSpec
from ewms.core.service.workflow import WorkflowDocument

_WORKFLOW = set(WorkflowObject.__annotations__)
_DIRECTIVE = set(TaskDirectiveObject.__annotations__)
_TASKFORCE = TaskforceObject.__annotations__.keys() & TaskforceDocument.model_fields.keys()
_UNGIVEN = frozenset({Phase.PRE_MQ_ACTIVATION, Phase.PRE_LAUNCH})
LOG = "phase_change_log"
"""Key of a taskforce whose value is kept apart from its document."""


def workflow_object(workflow: WorkflowDocument) -> WorkflowObject:
    """A whole one."""
    return cast(WorkflowObject, workflow.model_dump(mode="json", include=_WORKFLOW))


def directive_object(directive: TaskDirectiveDocument) -> TaskDirectiveObject:
    """A whole one."""
    return cast(TaskDirectiveObject, directive.model_dump(mode="json", include=_DIRECTIVE))


def taskforce_object(taskforce: TaskforceDocument, log: Sequence[Mapping[str, Any]]) -> TaskforceObject:
    """A whole one.

    Parameters
    ----------
    log
        The entries of its log, oldest first.
    """
    shown = cast(TaskforceObject, taskforce.model_dump(mode="json", include=_TASKFORCE))
    shown["collector"] = None
    shown["n_workers"] = _n_workers(taskforce)
    shown["pilot_config"] = taskforce.requested.get("pilot_config") or _pilot_config(taskforce)
    shown["worker_config"] = taskforce.requested.get("worker_config") or _worker_config(taskforce.worker)
    shown["phase_change_log"] = cast(list[PhaseChange], list(log))
    return shown


def queue_object(queue: QueueDocument) -> MQProfileObject:
    """One without credentials."""
    return {
        "mqid": queue.mqid,
        "workflow_id": queue.workflow_id,
        "timestamp": queue.timestamp,
        "alias": queue.alias,
        "is_public": queue.is_public,
        "is_activated": False,
        "auth_token": None,
        "broker_type": None,
        "broker_address": None,
    }


def group_object(workflow: WorkflowDocument) -> MQGroupObject:
    """A whole one; its criteria are there once the queues are."""
    criteria = Criteria(priority=workflow.priority) if workflow.active else None
    return {"workflow_id": workflow.workflow_id, "timestamp": workflow.timestamp, "criteria": criteria}


def projected(shown: Mapping[str, Any], keys: Collection[str] | None) -> dict[str, Any]:
    """Only some keys of an object, dotted where they lie deeper; all of them for None. What is not there is left out."""
    if keys is None:
        return dict(shown)
    found: dict[str, Any] = {}
    for key in keys:
        _copy(shown, found, key.split("."))
    return found


def _copy(source: Mapping[str, Any], goal: dict[str, Any], path: Sequence[str]) -> None:
    name, *deeper = path
    if name not in source:
        return
    if not deeper:
        goal[name] = source[name]
    elif isinstance(source[name], Mapping):
        inner = goal.setdefault(name, {})
        if inner is not source[name]:  # else the whole of it was asked for already
            _copy(source[name], inner, deeper)


def _n_workers(taskforce: TaskforceDocument) -> int | None:
    """As it was submitted, before that as it was asked for, and where that was left open, as the scheduler has it."""
    if taskforce.submitted_workers is not None:
        return taskforce.submitted_workers
    if taskforce.n_workers is not None or taskforce.phase in _UNGIVEN:
        return taskforce.n_workers
    return taskforce.workers


def _pilot_config(taskforce: TaskforceDocument) -> PilotConfig:
    """Of a taskforce that did not come by `/v1`."""
    pilot = taskforce.pilot
    return {
        "tag": pilot.tag,
        "image_source": "auto",
        "environment": dict(pilot.environment),
        "input_files": sorted(pilot.files),
    }


def _worker_config(worker: WorkerSpec) -> WorkerConfig:
    return {
        "do_transfer_worker_stdouterr": worker.return_output,
        "max_worker_runtime": worker.max_runtime or 0,
        "n_cores": worker.cpus,
        "priority": worker.priority,
        "worker_disk": worker.disk,
        "worker_memory": worker.memory,
        "condor_requirements": worker.requirements,
    }

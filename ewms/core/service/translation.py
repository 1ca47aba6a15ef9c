"""A request of EWMS's interface as documents of ours: a container task for each queue that a task reads. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ewms.core import ids
from ewms.core.errors import InputError
from ewms.core.graph import build_graph
from ewms.core.pilot_settings import PREFIX, Variables, read_count, task_of
from ewms.core.service.directive import TaskDirectiveDocument
from ewms.core.service.locations import Location, Locations
from ewms.core.service.queue import QueueDocument
from ewms.core.service.requests import (
    PilotConfigRequest,
    TaskRequest,
    WorkerConfigRequest,
    WorkflowRequest,
    reserved_variable,
)
from ewms.core.service.requirements import binary_size
from ewms.core.service.submission import Entropy, Submission
from ewms.core.service.taskforce import PilotSpec, TaskforceDocument, WorkerSpec
from ewms.core.service.workflow import WorkflowDocument
from ewms.core.spec import ResourceSpec, TaskSpec, WorkflowSpec, check_name

LATE_PRIORITY = 100
"""What taskforces that are added later have above their workflow: they are wanted urgently."""


class _Parent(NamedTuple):
    """What the parts of one workflow have in common."""

    workflow_id: str
    owner: str
    priority: int
    now: float
    locations: Locations
    entropy: Entropy


def translate(request: WorkflowRequest, *, owner: str, now: float, locations: Locations, entropy: Entropy) -> Submission:
    """The documents that a request makes.

    Raises
    ------
    InputError
        An unknown cluster, a file that is no upload, a variable that may not be set, arguments that cannot be read.
    SpecError
        Queues and tasks that make no graph.
    """
    parent = _Parent(ids.workflow_id(now, entropy()), owner, request.priority, now, locations, entropy)
    queues = _queues(request, parent)
    names = {queue.alias: _queue_name(queue) for queue in queues}
    mqids = {queue.alias: queue.mqid for queue in queues}
    tasks: list[TaskSpec] = []
    directives: list[TaskDirectiveDocument] = []
    taskforces: list[TaskforceDocument] = []
    for number, task in enumerate(request.tasks):
        _check(task, f"tasks[{number}]")
        task_id = ids.task_id(parent.workflow_id, entropy())
        specs = _task_specs(task, task_id, names, f"tasks[{number}]")
        tasks += specs
        directives.append(_directive(task, task_id, [spec.name for spec in specs], mqids, parent))
        taskforces += (
            _taskforce(task, task_id, location, parent) for location in locations.find_all(task.cluster_locations)
        )
    workflow = WorkflowDocument(
        workflow_id=parent.workflow_id,
        timestamp=now,
        priority=request.priority,
        origin="v1",
        owner=owner,
        spec=_spec(parent.workflow_id, tasks, queues, names),
        clusters=tuple(dict.fromkeys(taskforce.cluster for taskforce in taskforces)),
        public={names[queue.alias]: queue.mqid for queue in queues if queue.is_public},
    )
    return Submission(workflow=workflow, directives=tuple(directives), taskforces=tuple(taskforces), queues=tuple(queues))


def added_taskforce(
    model: TaskforceDocument, location: Location, n_workers: int | None, *, priority: int, now: float, entropy: Entropy
) -> TaskforceDocument:
    """A further taskforce of the same directive, such as another one of it.

    Parameters
    ----------
    model
        Any taskforce of the directive; what its workers ask for holds for the new one.
    priority
        Of the workflow.
    """
    return TaskforceDocument(
        taskforce_uuid=ids.taskforce_uuid(model.task_id, entropy()),
        task_id=model.task_id,
        workflow_id=model.workflow_id,
        owner=model.owner,
        timestamp=now,
        priority=priority,
        cluster=location.name,
        schedd=location.schedd,
        n_workers=n_workers,
        worker=model.worker,
        pilot=model.pilot,
        requested=model.requested,
    )


def _queues(request: WorkflowRequest, parent: _Parent) -> list[QueueDocument]:
    """One per alias, in the order in which the tasks name them."""
    for number, task in enumerate(request.tasks):
        if not task.input_queue_aliases:
            raise InputError(f"tasks[{number}] reads no queue, so it would never run; name one in input_queue_aliases")
    read = _aliases(task.input_queue_aliases for task in request.tasks)
    written = _aliases(task.output_queue_aliases for task in request.tasks)
    used = {**read, **written}
    for alias in request.public_queue_aliases:
        if alias not in used:
            raise InputError(f"public queue {alias!r:.80} is no input or output of a task; known are {', '.join(used)}")
    public = set(request.public_queue_aliases)
    for alias in read:
        if alias not in written and alias not in public:
            raise InputError(
                f"queue {alias!r:.80} is filled by no task; name it in public_queue_aliases to fill it yourself"
            )
    return [
        QueueDocument(
            mqid=ids.queue_id(parent.workflow_id, parent.entropy()),
            workflow_id=parent.workflow_id,
            owner=parent.owner,
            timestamp=parent.now,
            alias=alias,
            is_public=alias in public,
            direction="inner" if alias not in public else "out" if alias in written else "in",
        )
        for alias in used
    ]


def _aliases(lists: Iterable[Sequence[str]]) -> dict[str, None]:
    return dict.fromkeys(alias for aliases in lists for alias in aliases)


def _queue_name(queue: QueueDocument) -> str:
    """What the spec calls it: the alias, unless that is no name for us."""
    try:
        return check_name(queue.alias)
    except ValueError:
        return queue.mqid


def _check(task: TaskRequest, where: str) -> None:
    variable = reserved_variable(task.pilot_config.environment)
    if variable is not None:
        key = variable.removeprefix(PREFIX).lower().removesuffix("_json")
        raise InputError(f"{where}.pilot_config.environment may not set {variable}; use {where}.{key} instead")
    if task.pilot_config.input_files:
        raise InputError(
            f"{where}.pilot_config.input_files may only name files that were uploaded for this workflow, "
            f"and {task.pilot_config.input_files[0]!r:.80} was not; submit with POST /api/workflows to upload files"
        )


def _task_specs(task: TaskRequest, task_id: str, names: Mapping[str, str], where: str) -> list[TaskSpec]:
    """A task of ours reads one queue, so there is one for each."""
    try:
        read = task_of(Variables(_environment(task)))
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    common = {
        "output": tuple(names[alias] for alias in task.output_queue_aliases),
        "resources": ResourceSpec(cpus=task.worker_config.n_cores),
    }
    return [
        read.model_copy(update={**common, "name": task_id if not number else f"{task_id}-{number}", "input": names[alias]})
        for number, alias in enumerate(task.input_queue_aliases)
    ]


def _environment(task: TaskRequest) -> dict[str, str]:
    """What EWMS's TMS gives its pilot."""
    return _variables(task.pilot_config) | {
        f"{PREFIX}TASK_IMAGE": task.task_image,
        f"{PREFIX}TASK_ARGS": task.task_args,
        f"{PREFIX}TASK_ENV_JSON": json.dumps(task.task_env),
        f"{PREFIX}INIT_IMAGE": task.init_image,
        f"{PREFIX}INIT_ARGS": task.init_args,
        f"{PREFIX}INIT_ENV_JSON": json.dumps(task.init_env),
    }


def _variables(config: PilotConfigRequest) -> dict[str, str]:
    values = config.environment.items()
    return {name: ";".join(value) if isinstance(value, list) else str(value) for name, value in values}


def _directive(
    task: TaskRequest, task_id: str, tasks: Sequence[str], mqids: Mapping[str, str], parent: _Parent
) -> TaskDirectiveDocument:
    return TaskDirectiveDocument(
        task_id=task_id,
        workflow_id=parent.workflow_id,
        owner=parent.owner,
        tasks=tuple(tasks),
        cluster_locations=tuple(task.cluster_locations),
        task_image=task.task_image,
        task_args=task.task_args,
        task_env=task.task_env,
        init_image=task.init_image,
        init_args=task.init_args,
        init_env=task.init_env,
        timestamp=parent.now,
        input_queues=tuple(mqids[alias] for alias in task.input_queue_aliases),
        output_queues=tuple(mqids[alias] for alias in task.output_queue_aliases),
    )


def _taskforce(task: TaskRequest, task_id: str, location: Location, parent: _Parent) -> TaskforceDocument:
    variables = _variables(task.pilot_config)
    return TaskforceDocument(
        taskforce_uuid=ids.taskforce_uuid(task_id, parent.entropy()),
        task_id=task_id,
        workflow_id=parent.workflow_id,
        owner=parent.owner,
        timestamp=parent.now,
        priority=parent.priority,
        cluster=location.name,
        schedd=location.schedd,
        n_workers=task.n_workers,
        worker=_worker(task.worker_config),
        pilot=PilotSpec(
            tag=task.pilot_config.tag,
            environment=variables,
            slots=Variables(variables).get("MAX_CONCURRENT_TASKS", read_count, 1),
        ),
        requested={
            "pilot_config": task.pilot_config.model_dump(mode="json"),
            "worker_config": task.worker_config.model_dump(mode="json"),
        },
    )


def _worker(config: WorkerConfigRequest) -> WorkerSpec:
    return WorkerSpec(
        cpus=config.n_cores,
        memory=binary_size(config.worker_memory),
        disk=binary_size(config.worker_disk),
        max_runtime=config.max_worker_runtime,
        requirements=config.condor_requirements,
        priority=config.priority,
        return_output=config.do_transfer_worker_stdouterr,
    )


def _spec(name: str, tasks: Sequence[TaskSpec], queues: Sequence[QueueDocument], names: Mapping[str, str]) -> WorkflowSpec:
    """Raises `SpecError` for two readers of a queue, or a cycle."""
    inputs = tuple(names[queue.alias] for queue in queues if queue.direction == "in")
    spec = WorkflowSpec(name=name, tasks=tuple(tasks), inputs=inputs)
    build_graph(spec)
    return spec

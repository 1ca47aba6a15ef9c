"""A workflow as it is handed to the service: all its documents, which are written together or not at all. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ewms.core import ids
from ewms.core.graph import Graph
from ewms.core.service.directive import TaskDirectiveDocument
from ewms.core.service.locations import Location
from ewms.core.service.queue import QueueDocument
from ewms.core.service.taskforce import PilotSpec, TaskforceDocument, WorkerSpec
from ewms.core.service.transitions import PhaseEntry, created
from ewms.core.service.workflow import WorkflowDocument
from ewms.core.spec import TaskSpec

Entropy = Callable[[], bytes]
"""Gives some random bytes, others at each call."""


@dataclass(frozen=True, kw_only=True)
class Submission:
    """Everything that comes into being with a workflow."""

    workflow: WorkflowDocument
    """It itself."""
    directives: tuple[TaskDirectiveDocument, ...]
    """Its tasks."""
    taskforces: tuple[TaskforceDocument, ...]
    """Its first batches of pilots; none of them is submitted before the queues are there."""
    queues: tuple[QueueDocument, ...] = ()
    """Its queues by alias."""


def first_entry(taskforce: TaskforceDocument) -> PhaseEntry:
    """With what the log of a taskforce begins that was requested with its workflow."""
    return created(taskforce, "User", "requested with its workflow")


def own_submission(
    workflow: WorkflowDocument,
    graph: Graph | None,
    *,
    locations: Sequence[Location],
    worker: WorkerSpec,
    pilot: PilotSpec,
    entropy: Entropy,
    public: Mapping[str, str] | None = None,
    workers_at: Mapping[str, int] | None = None,
) -> Submission:
    """A workflow of our own interface: one directive per task, and one taskforce per cluster, whose pilots do all tasks.

    Parameters
    ----------
    workflow
        With its spec.
    graph
        Of the spec's tasks; None where the application brings its own.
    locations
        Clusters that it may use.
    public
        Queues that people fill or read from outside, by their names in the spec: ids of `ewms.core.ids.queue_id`.
    workers_at
        How many workers there are to be at a cluster; elsewhere the scheduler decides.
    """
    names = tuple(location.name for location in locations)
    tasks = graph.tasks if graph else (None,)
    directives = tuple(_directive(workflow, task, names, entropy) for task in tasks)
    taskforces = tuple(
        TaskforceDocument(
            taskforce_uuid=ids.taskforce_uuid(directives[0].task_id, entropy()),
            task_id=directives[0].task_id,
            workflow_id=workflow.workflow_id,
            owner=workflow.owner,
            timestamp=workflow.timestamp,
            priority=workflow.priority,
            cluster=location.name,
            schedd=location.schedd,
            n_workers=(workers_at or {}).get(location.name),
            worker=worker,
            pilot=pilot,
        )
        for location in locations
    )
    queues = tuple(_public_queue(workflow, graph, name, mqid) for name, mqid in (public or {}).items())
    workflow = workflow.model_copy(update={"public": dict(public or {})})
    return Submission(workflow=workflow, directives=directives, taskforces=taskforces, queues=queues)


def _directive(
    workflow: WorkflowDocument, task: TaskSpec | None, locations: tuple[str, ...], entropy: Entropy
) -> TaskDirectiveDocument:
    """Of a task; of the whole workflow where its tasks are not known yet."""
    return TaskDirectiveDocument(
        task_id=ids.task_id(workflow.workflow_id, entropy()),
        workflow_id=workflow.workflow_id,
        owner=workflow.owner,
        tasks=(task.name,) if task else (),
        cluster_locations=locations,
        task_image=task.container.image if task and task.container else "",
        timestamp=workflow.timestamp,
        input_queues=(task.input,) if task else (),
        output_queues=task.output if task else (),
    )


def _public_queue(workflow: WorkflowDocument, graph: Graph | None, name: str, mqid: str) -> QueueDocument:
    return QueueDocument(
        mqid=mqid,
        workflow_id=workflow.workflow_id,
        owner=workflow.owner,
        timestamp=workflow.timestamp,
        alias=name,
        is_public=True,
        direction="in" if graph and name in graph.sources else "out",
    )

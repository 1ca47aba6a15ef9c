"""`/api/workflows`: submitting workflows, finding them, looking at them, changing what may be changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi import Query as Parameter
from pydantic import BaseModel, ConfigDict, Field

from ewms.core.service.new_workflow import Labels, NewWorkflow, Priority, Workers
from ewms.core.service.phases import WorkflowState
from ewms.core.service.taskforce import TaskforceDocument
from ewms.core.service.workflow import StateEntry, TaskProgress, WorkflowDocument
from ewms.wms.access.caller import CallerOf
from ewms.wms.service.editing import change_workflow
from ewms.wms.service.listing import After, Limit, Listing
from ewms.wms.service.lookup import log_of, taskforces_of, workflow_of
from ewms.wms.service.state import State
from ewms.wms.service.submitting import submit_new
from ewms.wms.service.workflow_search import WorkflowSearch, parse_labels

router = APIRouter(prefix="/api/workflows", tags=["workflows"])
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]


class WorkflowChange(BaseModel):
    """What is to change; what is left out stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: Labels | None = None
    """All of them; others are dropped."""
    priority: Priority | None = None
    """From 0; at 100 and above in the urgent lane."""
    workers: Workers | None = Field(default=None)
    """Most workers at a time; null leaves it to the scheduler."""


class TaskState(TaskProgress):
    """One task of a workflow."""

    name: str
    """Of the task."""
    input: str
    """The queue that it reads."""
    output: tuple[str, ...]
    """The queues that it fills."""


@router.post("", status_code=201)
async def submit(
    request: NewWorkflow, response: Response, state: State, caller: CallerOf, idempotency_key: Key = None
) -> WorkflowDocument:
    """Submit a workflow; under the same `Idempotency-Key`, a repeat gives the workflow that is there already."""
    workflow = await submit_new(state, caller, request, idempotency_key)
    response.headers["Location"] = f"/api/workflows/{workflow.workflow_id}"
    return workflow


@router.get("")
async def list_workflows(
    *,
    state: State,
    caller: CallerOf,
    states: Annotated[list[WorkflowState] | None, Parameter(alias="state", description="Any of these.")] = None,
    owner: str | None = None,
    label: Annotated[list[str] | None, Parameter(description="As `name=value`; all of them.")] = None,
    text: Annotated[str | None, Parameter(max_length=200, description="Part of the name or id.")] = None,
    limit: Limit = 100,
    after: After = None,
) -> Listing[WorkflowDocument]:
    """The caller's workflows, an operator's are all; newest first."""
    search = WorkflowSearch(states=states or (), owner=owner, labels=parse_labels(label or ()), text=text)
    return await search.page(state.store, caller, after, limit)


@router.get("/{workflow_id}")
async def get_workflow(workflow_id: str, state: State, caller: CallerOf) -> WorkflowDocument:
    """A workflow, with its state, counts and the progress of its tasks."""
    return (await workflow_of(state.store, caller, workflow_id))[1]


@router.patch("/{workflow_id}")
async def patch_workflow(workflow_id: str, change: WorkflowChange, state: State, caller: CallerOf) -> WorkflowDocument:
    """Change labels, priority or the most workers; the latter two only while it has not ended."""
    fields = {name: getattr(change, name) for name in change.model_fields_set}
    for name in ("labels", "priority"):
        if fields.get(name, 0) is None:
            del fields[name]
    return await change_workflow(state, caller, workflow_id, fields)


@router.get("/{workflow_id}/tasks")
async def list_tasks(workflow_id: str, state: State, caller: CallerOf) -> Listing[TaskState]:
    """The tasks of a workflow, in the order of its graph, with how far they are."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    tasks = [
        TaskState(
            name=task.name,
            input=task.input,
            output=task.output,
            **workflow.tasks.get(task.name, TaskProgress()).model_dump(),
        )
        for task in workflow.spec.tasks
    ]
    return Listing(items=tasks, total=len(tasks))


@router.get("/{workflow_id}/workers")
async def list_workers(workflow_id: str, state: State, caller: CallerOf) -> Listing[TaskforceDocument]:
    """Its taskforces: where its pilots are, how they fare, and why there are none."""
    await workflow_of(state.store, caller, workflow_id)
    taskforces = [taskforce for _, taskforce in await taskforces_of(state.store, workflow_id)]
    return Listing(items=taskforces, total=len(taskforces))


@router.get("/{workflow_id}/phases")
async def list_phases(workflow_id: str, state: State, caller: CallerOf) -> Listing[StateEntry]:
    """Every state that it was in, oldest first."""
    await workflow_of(state.store, caller, workflow_id)
    entries = [StateEntry.model_validate(entry) for entry in await log_of(state.store, workflow_id)]
    return Listing(items=entries, total=len(entries))

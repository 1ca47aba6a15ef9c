"""The objects that EWMS's interface answers with, by its closed schemas. In a projection any key may be missing."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from ewms.core.service.phases import Phase

_closed = with_config(ConfigDict(extra="forbid"))


@_closed
class ErrorResponse(TypedDict):
    """What went wrong."""

    code: int
    error: str


@_closed
class WorkflowObject(TypedDict, total=False):
    """A workflow; see `ewms.core.service.workflow`."""

    workflow_id: str
    timestamp: float
    priority: int
    deactivated: Literal["ABORTED", "FINISHED"] | None
    deactivated_ts: float | None


@_closed
class TaskDirectiveObject(TypedDict, total=False):
    """A task of a workflow; see `ewms.core.service.directive`."""

    task_id: str
    workflow_id: str
    cluster_locations: list[str]
    task_image: str
    task_args: str
    task_env: dict[str, str]
    init_image: str
    init_args: str
    init_env: dict[str, str]
    timestamp: float
    input_queues: list[str]
    output_queues: list[str]


@_closed
class PhaseChange(TypedDict):
    """One attempted change of phase; see `ewms.core.service.transitions.PhaseEntry`."""

    target_phase: str
    timestamp: float
    was_successful: bool
    source_event_time: float | None
    source_entity: str
    context: str


@_closed
class PilotConfig(TypedDict):
    """See `ewms.core.service.requests.PilotConfigRequest`."""

    tag: str
    image_source: Literal["cvmfs", "auto"]
    environment: dict[str, str | int | list[str]]
    input_files: list[str]


@_closed
class WorkerConfig(TypedDict):
    """See `ewms.core.service.requests.WorkerConfigRequest`."""

    do_transfer_worker_stdouterr: bool
    max_worker_runtime: int
    n_cores: int
    priority: int
    worker_disk: str | int
    worker_memory: str | int
    condor_requirements: str


@_closed
class TaskforceObject(TypedDict, total=False):
    """A batch of pilots; see `ewms.core.service.taskforce`."""

    taskforce_uuid: str
    task_id: str
    workflow_id: str
    timestamp: float
    priority: int
    collector: None
    schedd: str
    n_workers: int | None
    pilot_config: PilotConfig
    worker_config: WorkerConfig
    cluster_id: int | None
    submit_dict: dict[str, str | int]
    job_event_log_fpath: str
    phase: Phase
    phase_change_log: list[PhaseChange]
    compound_statuses: dict[str, dict[str, int]]
    top_task_errors: dict[str, int]


@_closed
class MQProfileObject(TypedDict, total=False):
    """A queue, with credentials for it once it is there; see `ewms.core.service.queue`."""

    mqid: str
    workflow_id: str
    timestamp: float
    alias: str
    is_public: bool
    is_activated: bool
    auth_token: str | None
    broker_type: str | None
    broker_address: str | None


@_closed
class Criteria(TypedDict):
    """What activation depended on."""

    priority: int


@_closed
class MQGroupObject(TypedDict, total=False):
    """All queues of a workflow."""

    workflow_id: str
    timestamp: float
    criteria: Criteria | None


@_closed
class MQGroupObjectAndProfiles(TypedDict):
    """All queues of a workflow, one by one."""

    mqgroup: MQGroupObject
    mqprofiles: list[MQProfileObject]


@_closed
class PublicMQProfilesResponse(TypedDict):
    """The queues that people outside use."""

    mqprofiles: list[MQProfileObject]


@_closed
class JWKSetResponse(TypedDict):
    """Public keys."""

    keys: list[dict[str, Any]]


@_closed
class NewWorkflowResponse(TypedDict):
    """All that came into being with a workflow."""

    workflow: WorkflowObject
    task_directives: list[TaskDirectiveObject]
    taskforces: list[TaskforceObject]


@_closed
class DeactivatedWorkflowResponseObject(TypedDict):
    """A workflow that was given up, or called finished."""

    workflow_id: str
    n_taskforces: int


@_closed
class WorkflowsPage(TypedDict):
    """Some of the workflows that were searched for."""

    workflows: list[WorkflowObject]
    next_after: str | None


@_closed
class TaskDirectivesPage(TypedDict):
    """Some of the task directives that were searched for."""

    task_directives: list[TaskDirectiveObject]
    next_after: str | None


@_closed
class TaskforcesPage(TypedDict):
    """Some of the taskforces that were searched for."""

    taskforces: list[TaskforceObject]
    next_after: str | None


@_closed
class PendingStarter(TypedDict, total=False):
    """The next taskforce to submit; empty if there is none."""

    taskforce: TaskforceObject
    task_directive: TaskDirectiveObject
    mqprofiles: list[MQProfileObject]


@_closed
class TaskforceUUID(TypedDict):
    """The taskforce that was told of."""

    taskforce_uuid: str


class _Updated(TypedDict):
    uuid: str
    status: Literal["updated", "failed"]


@_closed
class UpdateResult(_Updated, total=False):
    """What became of one taskforce's statuses."""

    error: str


@_closed
class UpdateResults(TypedDict):
    """What became of all of them."""

    results: list[UpdateResult]


@_closed
class Nothing(TypedDict):
    """An empty object."""

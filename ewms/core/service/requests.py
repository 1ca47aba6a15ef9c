"""The bodies of requests to `/v1` and `/v1/mqs`: EWMS's closed schemas, with defaults where EWMS had none. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ewms.core.errors import InputError
from ewms.core.service.requirements import binary_size, check_requirements

T = TypeVar("T")
V = TypeVar("V")
_MOST = (1 << 31) - 1
_TAG = r"^(?:[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|latest|[a-z0-9._-]+-[a-z0-9]{1,128})$"
_TOPS = ("TASK_IMAGE", "TASK_ARGS", "TASK_ENV_JSON", "INIT_IMAGE", "INIT_ARGS", "INIT_ENV_JSON")


def _unique(values: list[T]) -> list[T]:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise ValueError(f"{value!r:.80} is in the list twice")
    return values


def _size(value: str | int) -> str | int:
    _checked(binary_size, value)
    return value


def _requirements(value: str) -> str:
    return _checked(check_requirements, value)


def _checked(check: Callable[[V], T], value: V) -> T:
    """An error of ours as pydantic wants it, which adds the place."""
    try:
        return check(value)
    except InputError as error:
        raise ValueError(str(error)) from error


Unique = AfterValidator(_unique)
Size = Annotated[str | int, AfterValidator(_size)]
Requirements = Annotated[str, AfterValidator(_requirements)]
Alias = Annotated[str, Field(min_length=1, max_length=200)]
Count = Annotated[int, Field(ge=1, le=_MOST)]
Priority = Annotated[int, Field(ge=0, le=_MOST)]


class _Closed(BaseModel):
    """What a request may say, and nothing else; a text is no number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PilotConfigRequest(_Closed):
    """How the pilot is set up."""

    tag: str = Field(default="latest", pattern=_TAG)
    """Version of the pilot's image, where a cluster uses one."""
    image_source: Literal["cvmfs", "auto"] = "cvmfs"
    """Accepted for EWMS's sake; each cluster's configuration says where pilots come from."""
    environment: dict[str, str | int | Annotated[list[str], Field(min_length=1)]] = {}
    """Variables of the pilot."""
    input_files: Annotated[list[str], Unique] = []
    """Uploads of the workflow; never a path of the access point."""


class WorkerConfigRequest(_Closed):
    """What each worker asks of its slot."""

    do_transfer_worker_stdouterr: bool = False
    """Stdout and stderr of workers are brought back."""
    max_worker_runtime: int = Field(default=24 * 3600, ge=1, le=_MOST)
    """Seconds after which a worker is ended."""
    n_cores: int = Field(default=1, ge=1, le=4096)
    """Cores."""
    priority: int = Field(default=0, ge=-_MOST, le=_MOST)
    """Job priority at the backend."""
    worker_disk: Size = "1 GB"
    """Bytes or text."""
    worker_memory: Size = "1 GB"
    """Bytes or text."""
    condor_requirements: Requirements = ""
    """A ClassAd expression beside the site's own."""


class TaskRequest(_Closed):
    """One task of a workflow."""

    cluster_locations: Annotated[list[str], Field(min_length=1), Unique]
    """Clusters, by name or alias; each gets a taskforce."""
    task_image: str = Field(min_length=1)
    """What is run for each event."""
    task_args: str
    """Its arguments in one line, split as a shell would."""
    task_env: dict[str, str] = {}
    """Its environment."""
    init_image: str = ""
    """What is run once per pilot before; empty for none."""
    init_args: str = ""
    """Its arguments."""
    init_env: dict[str, str] = {}
    """Its environment."""
    input_queue_aliases: Annotated[list[Alias], Unique]
    """Queues that it reads."""
    output_queue_aliases: Annotated[list[Alias], Unique]
    """Queues that it writes."""
    pilot_config: PilotConfigRequest = PilotConfigRequest()
    """How its pilots are set up."""
    worker_config: WorkerConfigRequest = WorkerConfigRequest()
    """What its workers ask for."""
    n_workers: Count | None = None
    """Workers of each taskforce; None leaves it to the scheduler."""


class WorkflowRequest(_Closed):
    """A new workflow."""

    tasks: Annotated[list[TaskRequest], Field(min_length=1, max_length=1000), Unique]
    """Its tasks."""
    public_queue_aliases: Annotated[list[Alias], Unique]
    """Queues that people outside fill or read."""
    priority: Priority = 50
    """From 0; at 100 and above in the urgent lane."""


class AddWorkersRequest(_Closed):
    """A further taskforce of a task."""

    cluster_location: str
    """Where."""
    n_workers: Count | None
    """How many; None leaves it to the scheduler."""


class FindRequest(_Closed):
    """A search."""

    query: dict[str, Any]
    """See `ewms.core.query`."""
    projection: Annotated[list[str], Field(min_length=1), Unique] | None = None
    """Keys to show, dotted where they lie deeper; left out, all."""
    after: str | None = None
    """`next_after` of the page before."""


class SubmitNotice(_Closed):
    """The TMS has submitted a taskforce."""

    cluster_id: int = Field(ge=0, lt=1 << 63)
    """At the backend."""
    n_workers: int = Field(ge=0, le=_MOST)
    """How many."""
    submit_dict: dict[str, str | int] = {}
    """The submit description."""
    job_event_log_fpath: str = ""
    """Where its fate is told."""


class FailureNotice(_Closed):
    """The TMS could not do what it was to; EWMS's own sends no body when a removal fails, or an empty one."""

    error: str = "no reason was given"
    """Why."""


class CompletionNotice(_Closed):
    """Nothing of a taskforce is left at the backend."""

    condor_complete_ts: int = Field(ge=0, lt=1 << 63)
    """When that was, seconds since 1970."""


class StatusesNotice(_Closed):
    """How workers fare, by taskforce."""

    top_task_errors_by_taskforce: Annotated[dict[str, dict[str, int]], Field(min_length=1)] | None = None
    """Workers by their last error."""
    compound_statuses_by_taskforce: Annotated[dict[str, dict[str, dict[str, int]]], Field(min_length=1)] | None = None
    """Workers by job status and pilot status."""


class ReservationRequest(_Closed):
    """Queues for a workflow. They are reserved with it, so this only shows them."""

    queue_aliases: Annotated[list[Alias], Field(min_length=1)]
    """What the user calls them."""
    public: list[Alias] = []
    """Those that people outside use."""


class CriteriaRequest(_Closed):
    """What activation depends on in EWMS."""

    priority: int
    """The workflow's."""


class ActivationRequest(_Closed):
    """Queues are to be activated. Their driver does that, so this only shows how far it is."""

    criteria: CriteriaRequest | None = None
    """See there."""


def reserved_variable(environment: dict[str, Any]) -> str | None:
    """A variable that a request may not set, since it has a key of its own for it; None if there is none."""
    return next((name for top in _TOPS if (name := f"EWMS_PILOT_{top}") in environment), None)

"""The body of `POST /api/workflows`. Pure."""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ewms.core.service.requirements import check_requirements
from ewms.core.service.taskforce import WorkerSpec
from ewms.core.service.upload import Sha256, UploadName
from ewms.core.spec import ResourceSpec, Size, TaskSpec

_MOST = (1 << 31) - 1
_LEAST_MEMORY = 1 << 30
_PILOT_MEMORY = 256 << 20
_is_label = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII).fullmatch


def _label(name: str) -> str:
    if not _is_label(name):
        raise ValueError(f"label {name!r:.80} is not allowed: use 1 to 64 letters, digits, _ or -")
    return name


Labels = Annotated[dict[Annotated[str, AfterValidator(_label)], Annotated[str, Field(max_length=200)]], Field(max_length=50)]
Priority = Annotated[int, Field(ge=0, le=_MOST)]
Workers = Annotated[int, Field(ge=1, le=_MOST)]
Webhook = Annotated[str, Field(pattern="^https?://", max_length=2000)]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WorkerRequest(_Closed):
    """What each worker asks of its slot; cores, memory, disk and GPUs come from the tasks where they are left out."""

    cpus: int | None = Field(default=None, ge=1, le=4096)
    """Cores."""
    memory: Annotated[Size, Field(ge=1 << 20)] | None = None
    """Bytes, or text such as `"2 GiB"`; at least a mebibyte."""
    disk: Annotated[Size, Field(ge=1 << 20)] | None = None
    """Bytes, or text; at least a mebibyte."""
    gpus: int | None = Field(default=None, ge=0, le=64)
    """Graphics processors."""
    max_runtime: int | None = Field(default=None, ge=1, le=_MOST)
    """Seconds after which a worker is ended."""
    requirements: Annotated[str, AfterValidator(check_requirements)] = ""
    """A ClassAd expression beside the site's own."""
    priority: int = Field(default=0, ge=-_MOST, le=_MOST)
    """Job priority at the backend."""
    return_output: bool = False
    """Stdout and stderr of workers are brought back."""
    accounting_group: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,200}$")
    """HTCondor's."""
    concurrency_limits: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,200}$")], ...] = ()
    """HTCondor's."""

    def spec_for(self, tasks: tuple[TaskSpec, ...]) -> WorkerSpec:
        """What workers need that can do any of these tasks; memory is the largest task's and some for the pilot."""
        needs = [task.resources for task in tasks] or [ResourceSpec()]
        memory = [need.memory + _PILOT_MEMORY for need in needs if need.memory is not None]
        disk = [need.disk for need in needs if need.disk is not None]
        found = {
            "cpus": max(need.cpus for need in needs),
            "gpus": max(need.gpus for need in needs),
            **({"memory": max(_LEAST_MEMORY, *memory)} if memory else {}),
            **({"disk": max(disk)} if disk else {}),
        }
        return WorkerSpec.model_validate(found | self.model_dump(exclude_none=True))


class NewWorkflow(_Closed):
    """A workflow that is to be."""

    spec: dict[str, Any]
    """As in a workflow file."""
    name: str | None = Field(default=None, max_length=64)
    """Instead of the spec's."""
    labels: Labels = {}
    """For searching."""
    priority: Priority = 50
    """From 0; at 100 and above in the urgent lane."""
    workers: Workers | None = None
    """Most workers at a time; None leaves it to the scheduler."""
    clusters: tuple[str, ...] = ()
    """Clusters that it may use, by name or alias; none means all."""
    workers_at: dict[str, Workers] = {}
    """How many workers it is to have at which cluster, in place of `workers` and `clusters`, where there is room."""
    webhooks: Annotated[tuple[Webhook, ...], Field(max_length=10)] = ()
    """URLs that are told of every change of state."""
    files: Annotated[dict[UploadName, Sha256], Field(max_length=10_000)] = {}
    """Contents that were uploaded before, by the names that they are to have."""
    open: bool = False
    """Events are sent later, by `POST …/events`, until somebody says `finish`."""
    worker: WorkerRequest = WorkerRequest()
    """What each worker asks for."""

    @model_validator(mode="after")
    def _one_way_of_asking(self) -> Self:
        if self.workers_at and (self.workers is not None or self.clusters):
            raise ValueError("workers_at says how many workers there are to be, and where; leave workers and clusters out")
        return self

    @property
    def most_workers(self) -> int | None:
        """How many it may have at a time in all; None leaves that to the scheduler."""
        return sum(self.workers_at.values()) if self.workers_at else self.workers

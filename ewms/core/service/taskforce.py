"""A taskforce's document, and what a TMS is told of it. EWMS's `TaskforceObject` is the part of it that `/v1` shows."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ewms.core.service.phases import Phase


class WorkerSpec(BaseModel):
    """What each worker of a taskforce asks of its backend; parsed when the workflow is submitted, never later."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpus: int = Field(default=1, ge=1)
    """Cores."""
    memory: int = Field(default=1 << 30, ge=1 << 20)
    """Bytes."""
    disk: int = Field(default=1 << 30, ge=1 << 20)
    """Bytes."""
    gpus: int = Field(default=0, ge=0)
    """Graphics processors."""
    max_runtime: int | None = Field(default=None, ge=1)
    """Seconds after which the worker is ended; the pilot is told, and drains before."""
    requirements: str = ""
    """A ClassAd expression beside the site's own; checked to parse."""
    priority: int = 0
    """Job priority at the backend, of the first worker."""
    return_output: bool = False
    """Stdout and stderr of workers are brought back."""
    accounting_group: str = ""
    """HTCondor's; empty for none."""
    concurrency_limits: tuple[str, ...] = ()
    """HTCondor's."""


class PilotSpec(BaseModel):
    """How the pilot itself is to be brought to the slot."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: str = "latest"
    """Version, for clusters where the pilot is a container image."""
    environment: dict[str, str] = {}
    """Variables of the pilot."""
    slots: int = Field(default=1, ge=1)
    """Events that each pilot works on at once."""
    files: dict[str, str] = {}
    """Uploads of the workflow that are carried to the slot: name to sha256."""


class TaskforceDocument(BaseModel):
    """One batch of identical pilots at one cluster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    taskforce_uuid: str
    """`TF-…`."""
    task_id: str
    """Its directive; pilots of our own work on every task of the workflow that fits in their resources."""
    workflow_id: str
    """Its workflow."""
    owner: str = ""
    """Whose that is."""
    timestamp: float
    """When it was made, seconds since 1970."""
    priority: int
    """As the workflow's; higher where it was added later."""
    cluster: str
    """Name of the cluster in the service's configuration."""
    schedd: str = ""
    """Host name of its access point, as EWMS tells it."""
    n_workers: int | None
    """Most workers that it may have."""
    workers: int = 0
    """Workers that it should have now: the scheduler's word."""
    submitted_workers: int | None = None
    """Workers that it was submitted with: the TMS's word."""
    worker: WorkerSpec
    """What each asks for."""
    pilot: PilotSpec = PilotSpec()
    """How pilots come to the slot."""
    requested: dict[str, Any] = {}
    """`pilot_config` and `worker_config` as `/v1` was given them."""
    replaces: str = ""
    """The ended taskforce whose place it takes; empty where it is the first one there."""
    phase: Phase = Phase.PRE_MQ_ACTIVATION
    """Where it is; each change is an entry of the log under its key."""
    cluster_id: int | None = None
    """At the backend; None before it was submitted."""
    submit_dict: dict[str, Any] = {}
    """The submit description, without secrets."""
    job_event_log_fpath: str = ""
    """Where the backend tells its fate."""
    compound_statuses: dict[str, dict[str, int]] = {}
    """Workers by job status and pilot status."""
    top_task_errors: dict[str, int] = {}
    """Workers by their last error."""
    failures: int = 0
    """Failed submissions or removals since the last success."""
    reason: str = ""
    """Why it is held, cannot be submitted, or ended without success; one line."""


class Order(BaseModel):
    """What a TMS is to make true for one taskforce."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    taskforce: TaskforceDocument
    """As it stands."""
    version: int
    """Of the document."""
    excluded_sites: tuple[str, ...] = ()
    """Where no worker may start at this time."""


class Plan(BaseModel):
    """Everything that a cluster's TMS is to make true. Whatever the backend has beside it is an orphan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    revision: int
    """Another number for another plan, in no order; the TMS waits for another one."""
    orders: tuple[Order, ...]
    """One per taskforce that is to be submitted, is submitted or is to be stopped."""

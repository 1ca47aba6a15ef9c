"""A workflow's document in the service's store. EWMS's `WorkflowObject` is the part of it that `/v1` shows."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ewms.core.service.phases import Wish, WorkflowState
from ewms.core.spec import WorkflowSpec


class TaskProgress(BaseModel):
    """How far one task is. Exact, as of the driver's last word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    planned: int = 0
    """Events, terminal ones included."""
    terminal: int = 0
    """Accepted or buried."""
    seconds: float | None = None
    """Median run time of one event; None while nothing is known."""


class DriverClaim(BaseModel):
    """Which driver host has a workflow. It may be taken over when that host's document does not change for a lease."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = ""
    """Name of the driver host; empty if none has it."""
    beat: int = 0
    """Grows while the host lives."""
    epoch: int = 0
    """How many times the workflow was claimed."""


class ReplayRequest(BaseModel):
    """Dead letters that are to be tried again; written by the service, removed by the driver host when it is done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request_id: str
    """Minted by the service: the same request is carried out once."""
    task: str | None = None
    """Only letters of this task; None for all."""
    event_ids: tuple[str, ...] = ()
    """Only these; empty for all."""


class StateEntry(BaseModel):
    """One change of a workflow's state, in the log under its id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: WorkflowState
    """What it became."""
    timestamp: float
    """When, seconds since 1970."""
    reason: str = ""
    """Why, in one line, where there is more to say."""


class WorkflowDocument(BaseModel):
    """A workflow as the service knows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workflow_id: str
    """`WF-…`."""
    timestamp: float
    """When it was submitted, seconds since 1970."""
    priority: int = 50
    """From 0; at 100 and above in the urgent lane."""
    deactivated: Literal["ABORTED", "FINISHED"] | None = None
    """EWMS's word for why it ended; None while it has not."""
    deactivated_ts: float | None = None
    """When."""
    origin: Literal["ewms", "v1"] = "ewms"
    """By which interface it came."""
    name: str = ""
    """For people."""
    owner: str = ""
    """Who submitted it: the subject of the token."""
    labels: dict[str, str] = {}
    """For searching."""
    state: WorkflowState = WorkflowState.PENDING
    """How it stands; written by its driver host, and by the service where it has none."""
    reason: str = ""
    """Why it failed or waits, in one line."""
    wish: Wish = Wish.RUN
    """What the user last asked for; written by the service alone."""
    spec: WorkflowSpec
    """What to do; for `v1`, made from the request."""
    workers: int | None = None
    """Most workers over all its taskforces; None leaves it to the scheduler."""
    clusters: tuple[str, ...] = ()
    """Clusters that it may use; empty means all."""
    files: dict[str, str] = {}
    """Its uploads: name to sha256; `code/…` are importable, `inputs/…` are inputs, `context/…` is given to tasks."""
    public: dict[str, str] = {}
    """Queues that people fill or read from outside: name in the spec to the broker's name."""
    replay: tuple[ReplayRequest, ...] = ()
    """What is to be tried again."""
    webhooks: tuple[str, ...] = ()
    """URLs that are told of every change of state."""
    active: bool = False
    """Its queues exist at the broker; written by its driver host."""
    closing: bool = False
    """The service is taking back what it issued; no driver host takes it up meanwhile."""
    closed: int = -1
    """Epoch of the driver after which that was done; negative before."""
    driver: DriverClaim = DriverClaim()
    """Who drives it."""
    counts: dict[str, int] = {}
    """As in `summary.json`: sent, accepted, dead_lettered and so on."""
    tasks: dict[str, TaskProgress] = {}
    """By task."""
    first_outcome_seconds: float | None = None
    """From submission to the first accepted outcome."""
    product: tuple[str, ...] = Field(default=())
    """Names of the files of the product, among the workflow's files."""
    partial: tuple[str, ...] = Field(default=())
    """Names of the files of the partial product, among the workflow's files; none where the product is there."""
    partial_number: int = 0
    """How many partial products there were."""
    note: str = ""
    """What the application last said of how far it is, in one line."""

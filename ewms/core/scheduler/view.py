"""How things stand, as the scheduler sees them, and what it decides. Order of any tuple means nothing."""

from __future__ import annotations

import msgspec


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """Where workers can be."""

    name: str
    """Its name in the service's configuration."""
    capacity: int
    """Most workers of all workflows together."""
    healthy: bool = True
    """False while its TMS or backend does not answer: what is there is left alone, and nothing new goes there."""


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose workflows they are."""

    name: str
    """As in `Workload.owner`."""
    weight: float = 1.0
    """Twice the weight is twice the workers where there are not enough for everybody."""
    quota: int | None = None
    """Most workers of all its workflows together; None for no bound."""


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow, or one task directive of it where pilots do nothing but its task."""

    key: str
    """The workflow's id, or the directive's."""
    owner: str
    """Whose."""
    priority: int = 50
    """Higher ones of an owner go first; from `Policy.urgent` on, everybody else's wait too."""
    submitted: float
    """When it came, in seconds; of equals, the older one goes first."""
    backlog: int
    """Events planned and not terminal; 0 while it is paused."""
    seconds: float | None = None
    """Median run time of one of them; None while nothing is known."""
    limit: int | None = None
    """Most workers over its taskforces that are not `fixed`; None for no bound."""
    running_since: float | None = None
    """When the first of its workers was seen running; matters while `seconds` is None."""
    surplus_since: float | None = None
    """What the last decisions said in `Decisions.surplus_since`."""


class Taskforce(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of workers of a workload that is not ending. A workload may use the clusters where it has one."""

    uuid: str
    """`TF-…`."""
    workload: str
    """The key of its workload."""
    cluster: str
    """The name of its cluster."""
    fixed: int | None = None
    """Workers that it wants whatever the backlog is, as in EWMS's own requests; None leaves it to the scheduler."""
    workers: int = 0
    """Workers that it should have by the last decisions."""
    running: int = 0
    """Workers that run."""
    started: bool = False
    """The TMS has been told to submit it."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for everybody."""

    urgent: int = 100
    """Priority from which workflows take slots from others."""
    horizon: float = 10.0
    """Seconds within which a workflow's backlog should be done, where there are enough slots: not much longer than it takes
    to start a worker, so that waiting users get all that helps them."""
    grace: float = 30.0
    """Seconds for which workers without an event are kept while nobody else wants their slots."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decisions depend on."""

    now: float
    """Seconds, of the clock that the other times were taken from."""
    workloads: tuple[Workload, ...]
    """That may have workers."""
    taskforces: tuple[Taskforce, ...]
    """Of these workloads; all that are not ending."""
    clusters: tuple[Cluster, ...]
    """All of the configuration."""
    owners: tuple[Owner, ...] = ()
    """Those with a weight or a quota of their own."""
    policy: Policy = Policy()
    """What is the same for everybody."""


class Decisions(msgspec.Struct, frozen=True, kw_only=True):
    """What should be."""

    workers: dict[str, int]
    """Workers by taskforce, every one of the view."""
    start: tuple[str, ...]
    """Taskforces that are to be submitted now, sorted."""
    surplus_since: dict[str, float]
    """When workloads began to have more workers than they can use; to be given back in the next view."""

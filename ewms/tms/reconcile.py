"""What a TMS does next: the difference between what the service wants and what the backend has. Pure.

Nothing is remembered from one look to the next: a TMS that dies between any two steps goes on from what is there. So a batch
is adopted where its submission was not recorded, removed where nobody wants it, and nothing is submitted twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from ewms.core.service.phases import Phase
from ewms.core.service.taskforce import Order
from ewms.tms.backend import Batch

MAX_FAILURES = 3
"""Refused submissions after which a taskforce is given up; EWMS's TMS_ACTION_RETRIES, and one."""

ORPHAN = "nobody wants it any more"
DUPLICATE = "it is not the batch that its taskforce was recorded with"
STOPPED = "its taskforce was stopped"


class Submit(NamedTuple):
    """Submit it, and confirm that."""

    order: Order
    """What for."""

    @property
    def taskforce_uuid(self) -> str:
        """Whose."""
        return self.order.taskforce.taskforce_uuid


class Adopt(NamedTuple):
    """Confirm a submission that was not recorded."""

    batch: Batch
    """What was found."""

    @property
    def taskforce_uuid(self) -> str:
        """Whose."""
        return self.batch.taskforce_uuid


class Resize(NamedTuple):
    """Have another number of workers."""

    batch: Batch
    """As it is."""
    workers: int
    """As it is to be."""

    @property
    def taskforce_uuid(self) -> str:
        """Whose."""
        return self.batch.taskforce_uuid


class Refresh(NamedTuple):
    """Renew what its pilots start with: credentials, and the sites where none is to start."""

    batch: Batch
    """Which."""
    excluded_sites: tuple[str, ...]
    """As of now."""

    @property
    def taskforce_uuid(self) -> str:
        """Whose."""
        return self.batch.taskforce_uuid


class Stop(NamedTuple):
    """Remove a batch, and confirm that."""

    batch: Batch
    """Which."""

    @property
    def taskforce_uuid(self) -> str:
        """Whose."""
        return self.batch.taskforce_uuid


class Remove(NamedTuple):
    """Remove a batch that the service does not know."""

    batch: Batch
    """Which."""
    reason: str
    """For people."""

    @property
    def taskforce_uuid(self) -> str:
        """Whose."""
        return self.batch.taskforce_uuid


class Confirm(NamedTuple):
    """Tell the service that a taskforce has come to a phase."""

    taskforce_uuid: str
    """Which."""
    phase: Phase
    """One of CONDOR_RM and CONDOR_COMPLETE; a submission is confirmed with its details."""


Action = Submit | Adopt | Resize | Refresh | Stop | Remove | Confirm


def reconcile(
    orders: Mapping[str, Order], batches: Iterable[Batch], *, busy: Collection[str] = (), stale: Collection[str] = ()
) -> list[Action]:
    """At most one action for each taskforce, the most urgent first; when it is done, look again.

    Parameters
    ----------
    orders
        By taskforce: everything that the service wants. What is not among them is an orphan.
    batches
        Everything that the backend has.
    busy
        Taskforces that something was under way for since the backend was asked, or that rest after a failure.
    stale
        Taskforces whose pilots start with what is out of date.
    """
    found: dict[str, list[Batch]] = {}
    for batch in batches:
        found.setdefault(batch.taskforce_uuid, []).append(batch)
    actions: list[Action] = []
    for uuid in (orders.keys() | found.keys()).difference(busy):
        action = _next(orders.get(uuid), found.get(uuid, []), uuid in stale)
        if action is not None:
            actions.append(action)
    return sorted(actions, key=lambda action: _urgency(action, orders.get(action.taskforce_uuid)))


def _next(order: Order | None, batches: list[Batch], is_stale: bool) -> Action | None:
    if order is None:
        return Remove(batches[0], ORPHAN)
    if not batches:
        return _without_batch(order)
    kept = order.taskforce.cluster_id
    if kept is None:
        kept = min(batch.cluster_id for batch in batches)
    superfluous = [batch for batch in batches if batch.cluster_id != kept]
    return Remove(superfluous[0], DUPLICATE) if superfluous else _with_batch(order, batches[0], is_stale)


def _with_batch(order: Order, batch: Batch, is_stale: bool) -> Action | None:
    taskforce = order.taskforce
    match taskforce.phase:
        case Phase.PENDING_STARTER:
            return Adopt(batch)
        case Phase.CONDOR_SUBMIT if batch.workers != taskforce.workers:
            return Resize(batch, taskforce.workers)
        case Phase.CONDOR_SUBMIT if is_stale:
            return Refresh(batch, order.excluded_sites)
        case Phase.PENDING_STOPPER:
            return Stop(batch)
        case Phase.CONDOR_RM:  # it was removed once, and turned up again
            return Remove(batch, STOPPED)
    return None


def _without_batch(order: Order) -> Action | None:
    taskforce = order.taskforce
    uuid = taskforce.taskforce_uuid
    match taskforce.phase:
        case Phase.PENDING_STARTER if taskforce.failures >= MAX_FAILURES:
            return Confirm(uuid, Phase.CONDOR_COMPLETE)
        case Phase.PENDING_STARTER if taskforce.workers > 0:
            return Submit(order)
        case Phase.PENDING_STOPPER if taskforce.cluster_id is not None:
            return Confirm(uuid, Phase.CONDOR_RM)
        case Phase.PENDING_STOPPER | Phase.CONDOR_SUBMIT | Phase.CONDOR_RM:
            return Confirm(uuid, Phase.CONDOR_COMPLETE)
    return None


def _urgency(action: Action, order: Order | None) -> tuple[int, int, float, str]:
    """What frees slots comes first, then by priority, then by age: few actions run at the same time."""
    if isinstance(action, Refresh):
        return 2, 0, 0.0, action.taskforce_uuid
    if isinstance(action, Submit | Adopt | Resize) and order is not None:
        return 1, -order.taskforce.priority, order.taskforce.timestamp, action.taskforce_uuid
    return 0, 0, 0.0, action.taskforce_uuid

"""What happens to a taskforce, and what becomes of its document: the only place where a phase changes. Pure.

Whoever tells of an event may tell it again, since an answer can be lost: what is true already is acknowledged and leaves no
trace. What the course of a taskforce does not allow any more is `NotFound`, EWMS's 404.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ConfigDict

from ewms.core.errors import NotFound
from ewms.core.service.phases import ALLOWED, ENDING, Phase
from ewms.core.service.taskforce import TaskforceDocument

MAX_FAILURES = 3
"""Refused submissions after which a taskforce is given up: EWMS's TMS_ACTION_RETRIES, and one."""
_NEVER_SUBMITTED = frozenset({Phase.PRE_MQ_ACTIVATION, Phase.PRE_LAUNCH, Phase.PENDING_STARTER})
_ENDED_ALONE = "its workers ended, or were removed at the backend"


class PhaseEntry(BaseModel):
    """One attempted change of phase, as EWMS logs it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target_phase: Phase
    """Where it was to go."""
    timestamp: float
    """When this was recorded, seconds since 1970."""
    was_successful: bool = True
    """Whether it went there."""
    source_event_time: float | None = None
    """When it happened, by the clock of whoever told of it."""
    source_entity: str
    """Who did it."""
    context: str
    """Why, in one line."""


@dataclass(frozen=True)
class Change:
    """What an event makes of a taskforce."""

    taskforce: TaskforceDocument
    """As it is now; the very document that was given where nothing changed."""
    entries: tuple[PhaseEntry, ...] = ()
    """For its log."""


class Event(ABC):
    """Something that happens to a taskforce."""

    @abstractmethod
    def apply(self, taskforce: TaskforceDocument, now: float) -> Change:
        """What it makes of a taskforce; `now`, in seconds since 1970, is for the log.

        Raises `NotFound` where it cannot happen in the taskforce's phase.
        """


@dataclass(frozen=True)
class Activated(Event):
    """Its workflow's queues are there."""

    files: Mapping[str, str] = field(default_factory=dict)
    """What is carried to its slots, name to sha256; an application may have added to it."""

    def apply(self, taskforce: TaskforceDocument, now: float) -> Change:
        """See `Event.apply`."""
        if taskforce.phase is not Phase.PRE_MQ_ACTIVATION:
            return Change(taskforce)
        pilot = taskforce.pilot.model_copy(update={"files": dict(self.files)})
        return _moved(taskforce, _entry(Phase.PRE_LAUNCH, now, "WMS", "its queues are there"), pilot=pilot)


@dataclass(frozen=True)
class Assigned(Event):
    """The scheduler gives it so many workers; the first ones start it."""

    workers: int
    """From 0."""

    def apply(self, taskforce: TaskforceDocument, now: float) -> Change:
        """See `Event.apply`."""
        if taskforce.phase in ENDING or taskforce.phase is Phase.PRE_MQ_ACTIVATION:
            raise NotFound(_refusal(taskforce, "given workers"))
        if taskforce.phase is Phase.PRE_LAUNCH and self.workers > 0:
            entry = _entry(Phase.PENDING_STARTER, now, "WMS", f"scheduled with {self.workers} workers")
            return _moved(taskforce, entry, workers=self.workers)
        if self.workers == taskforce.workers:
            return Change(taskforce)
        return Change(taskforce.model_copy(update={"workers": self.workers}))


@dataclass(frozen=True)
class Stopped(Event):
    """It is not to run any more."""

    source: str
    """Who wants that."""
    reason: str
    """Why."""

    def apply(self, taskforce: TaskforceDocument, now: float) -> Change:
        """One that was never submitted is over at once. Should a TMS be submitting it now, it finds that nobody wants it."""
        if taskforce.phase in ENDING:
            return Change(taskforce)
        was_submitted = taskforce.phase not in _NEVER_SUBMITTED
        reason = self.reason if was_submitted else f"never submitted: {self.reason}"
        target = Phase.PENDING_STOPPER if was_submitted else Phase.CONDOR_COMPLETE
        return _moved(taskforce, _entry(target, now, self.source, reason), reason=reason, workers=0)


@dataclass(frozen=True, kw_only=True)
class Submitted(Event):
    """The TMS has submitted it."""

    cluster_id: int
    """At the backend."""
    workers: int
    """How many."""
    submit_dict: Mapping[str, Any]
    """Its submit description."""
    event_log: str
    """Where the backend tells its fate."""

    def apply(self, taskforce: TaskforceDocument, now: float) -> Change:
        """See `Event.apply`."""
        if taskforce.phase is Phase.CONDOR_SUBMIT and taskforce.cluster_id == self.cluster_id:
            return Change(taskforce)
        if taskforce.phase is not Phase.PENDING_STARTER:
            raise NotFound(_refusal(taskforce, "submitted"))
        context = f"submitted as cluster {self.cluster_id} with {self.workers} workers"
        return _moved(
            taskforce,
            _entry(Phase.CONDOR_SUBMIT, now, "TMS", context),
            cluster_id=self.cluster_id,
            submitted_workers=self.workers,
            submit_dict=dict(self.submit_dict),
            job_event_log_fpath=self.event_log,
            failures=0,
            reason="",
        )


@dataclass(frozen=True)
class SubmitFailed(Event):
    """The backend refused it."""

    error: str
    """Why."""

    def apply(self, taskforce: TaskforceDocument, now: float) -> Change:
        """See `Event.apply`. After `MAX_FAILURES` it is given up."""
        if taskforce.phase is not Phase.PENDING_STARTER:
            raise NotFound(_refusal(taskforce, "submitted"))
        failures = taskforce.failures + 1
        failed = taskforce.model_copy(update={"failures": failures, "reason": self.error})
        entry = _failure(Phase.CONDOR_SUBMIT, now, self.error)
        if failures < MAX_FAILURES:
            return Change(failed, (entry,))
        reason = f"given up after {failures} refused submissions: {self.error}"
        given_up = _entry(Phase.CONDOR_COMPLETE, now, "WMS", reason)
        return replace(_moved(failed, given_up, reason=reason, workers=0), entries=(entry, given_up))


@dataclass(frozen=True)
class Removed(Event):
    """The TMS has removed it from the backend."""

    def apply(self, taskforce: TaskforceDocument, now: float) -> Change:
        """See `Event.apply`."""
        if taskforce.phase in {Phase.CONDOR_RM, Phase.CONDOR_COMPLETE}:
            return Change(taskforce)
        if Phase.CONDOR_RM not in ALLOWED[taskforce.phase]:
            raise NotFound(_refusal(taskforce, "removed"))
        entry = _entry(Phase.CONDOR_RM, now, "TMS", "removed from the backend")
        return _moved(taskforce, entry, failures=0, workers=0)


@dataclass(frozen=True)
class RemovalFailed(Event):
    """The backend refused to remove it."""

    error: str
    """Why."""

    def apply(self, taskforce: TaskforceDocument, now: float) -> Change:
        """See `Event.apply`. The TMS tries until it succeeds, so only another error than the last one is worth an entry."""
        if taskforce.phase is not Phase.PENDING_STOPPER:
            raise NotFound(_refusal(taskforce, "removed"))
        is_new = not taskforce.failures or taskforce.reason != self.error
        failed = taskforce.model_copy(update={"failures": taskforce.failures + 1, "reason": self.error})
        return Change(failed, (_failure(Phase.CONDOR_RM, now, self.error),) if is_new else ())


@dataclass(frozen=True)
class Completed(Event):
    """Nothing of it is left at the backend."""

    ended_at: float
    """When that was, by the TMS, seconds since 1970."""

    def apply(self, taskforce: TaskforceDocument, now: float) -> Change:
        """See `Event.apply`."""
        if taskforce.phase is Phase.CONDOR_COMPLETE:
            return Change(taskforce)
        reason = taskforce.reason or _ENDED_ALONE
        entry = _entry(Phase.CONDOR_COMPLETE, now, "TMS", reason, event_time=self.ended_at)
        return _moved(taskforce, entry, reason=reason, workers=0)


def created(taskforce: TaskforceDocument, source: str, context: str) -> PhaseEntry:
    """The first entry of a new taskforce's log."""
    return _entry(taskforce.phase, taskforce.timestamp, source, context)


def _moved(taskforce: TaskforceDocument, entry: PhaseEntry, **update: Any) -> Change:
    return Change(taskforce.model_copy(update={"phase": entry.target_phase, **update}), (entry,))


def _entry(target: Phase, now: float, source: str, context: str, event_time: float | None = None) -> PhaseEntry:
    return PhaseEntry(
        target_phase=target, timestamp=now, source_entity=source, context=context, source_event_time=event_time
    )


def _failure(target: Phase, now: float, error: str) -> PhaseEntry:
    return _entry(target, now, "TMS", error).model_copy(update={"was_successful": False})


def _refusal(taskforce: TaskforceDocument, what: str) -> str:
    return f"taskforce {taskforce.taskforce_uuid} is in phase {taskforce.phase}, so it cannot be {what} now; look again"

"""What the event log of a taskforce tells, event by event: how each of its workers fares, and how those before it ended."""

from __future__ import annotations

import logging
from collections import Counter
from enum import IntEnum

import msgspec

from ewms.tms.backend import Standing
from ewms.tms.backends._htcondor_holds import BY_PERSON, BY_POLICY, SPOOLING, in_words
from ewms.tms.backends._htcondor_records import Position, Record
from ewms.tms.backends._htcondor_submission import SITES
from ewms.tms.statuses import JobStatus, PilotStatus, held, tally, top_errors

logger = logging.getLogger("ewms.tms.htcondor")

CHIRP = "HTChirpEWMSPilot"
"""Begins what a pilot says of itself; see `ewms.pilot.chirp`."""
_MAX_ERRORS = 200


class Kind(IntEnum):
    """Events that matter here, by HTCondor's numbers."""

    SUBMIT = 0
    EXECUTE = 1
    EVICTED = 4
    TERMINATED = 5
    SHADOW_EXCEPTION = 7
    GENERIC = 8
    ABORTED = 9
    SUSPENDED = 10
    UNSUSPENDED = 11
    HELD = 12
    RELEASED = 13
    RECONNECT_FAILED = 24
    CLUSTER_REMOVE = 36
    FACTORY_PAUSED = 37


_KINDS = frozenset(Kind)
_AWAY = frozenset({Kind.EVICTED, Kind.SHADOW_EXCEPTION, Kind.RECONNECT_FAILED})


class Worker(msgspec.Struct):
    """One job that is in the queue."""

    job: str = JobStatus.IDLE
    """Its status, with the reason where it is held."""
    pilot: str = PilotStatus.UNKNOWN
    """What its pilot last said."""
    error: str = ""
    """Its last error."""
    site: str = ""
    """Where it runs, or ran last."""
    gone: bool = False
    """Its slot is lost; whether that is the site's fault shows in what comes next."""


class Course(msgspec.Struct, kw_only=True):
    """Everything that is known of one taskforce from its event log; kept on disk between two looks."""

    taskforce_uuid: str
    """Which."""
    cluster_id: int = 0
    """0 before the first event."""
    position: Position = msgspec.field(default_factory=Position)
    """How far the log is read."""
    workers: dict[int, Worker] = {}
    """Those in the queue, by `ProcId`."""
    ended: dict[str, dict[str, int]] = {}
    """Those that have left it: how many by job status and pilot status."""
    errors: dict[str, int] = {}
    """The last errors of those."""
    ended_at: float | None = None
    """When the last one left."""
    told: bool = False
    """Whether its end was heard."""
    losses: dict[str, int] = {}
    """Since the last word, by site."""
    successes: dict[str, int] = {}
    """Since the last word, by site."""

    def take(self, record: Record) -> None:
        """Learn from an event."""
        self.cluster_id = record.cluster
        if record.kind not in _KINDS:
            return
        if record.proc is None:
            self._take_of_cluster(record)
            return
        worker = self.workers.setdefault(record.proc, Worker())
        if record.kind == Kind.GENERIC:
            _listen(worker, str(record.values.get("Info", "")))
            return
        self._settle(worker, record)
        match record.kind:
            case Kind.SUBMIT | Kind.RELEASED:
                worker.job = JobStatus.IDLE
            case Kind.EXECUTE:
                worker.job, worker.pilot = JobStatus.RUNNING, PilotStatus.UNKNOWN
                worker.site = next((str(record.values[name]) for name in SITES if name in record.values), "")
            case kind if kind in _AWAY:
                worker.job, worker.gone = JobStatus.IDLE, True
            case Kind.SUSPENDED:
                worker.job = JobStatus.SUSPENDED
            case Kind.UNSUSPENDED:
                worker.job = JobStatus.RUNNING
            case Kind.HELD:
                self._hold(worker, record)
            case Kind.TERMINATED:
                self._end(record.proc, self._terminate(worker, record))
            case Kind.ABORTED:
                self._end(record.proc, JobStatus.REMOVED)

    def standing(self) -> Standing:
        """How it stands; losses and successes are told once."""
        counted = Counter({(job, pilot): n for job, pilots in self.ended.items() for pilot, n in pilots.items()})
        counted.update((worker.job, worker.pilot) for worker in self.workers.values())
        errors = Counter(self.errors)
        errors.update(worker.error for worker in self.workers.values() if worker.error)
        told = Standing(
            taskforce_uuid=self.taskforce_uuid,
            compound_statuses=tally(counted.elements()),
            top_task_errors=top_errors(errors),
            ended_at=self.ended_at,
            site_losses=self.losses,
            site_successes=self.successes,
        )
        self.losses, self.successes = {}, {}
        return told

    def _take_of_cluster(self, record: Record) -> None:
        if record.kind == Kind.CLUSTER_REMOVE:
            self.ended_at = record.time
            for proc in list(self.workers):  # whose last events were damaged
                self._end(proc, JobStatus.REMOVED)
        elif record.kind == Kind.FACTORY_PAUSED:
            reason = record.values.get("Reason", "")
            logger.warning("cluster_paused taskforce=%s cluster=%d reason=%s", self.taskforce_uuid, record.cluster, reason)

    def _settle(self, worker: Worker, record: Record) -> None:
        """Count a lost slot, once it is clear that nobody had asked for it."""
        again = record.kind == Kind.EXECUTE and worker.job == JobStatus.RUNNING  # a shadow that died leaves no other word
        asked_for = record.kind in {Kind.ABORTED, Kind.HELD}
        if record.kind in _AWAY:
            return
        if (worker.gone or again) and not asked_for:
            _count(self.losses, worker.site)
        worker.gone = False

    def _hold(self, worker: Worker, record: Record) -> None:
        code, subcode = (int(record.values.get(name, 0)) for name in ("HoldReasonCode", "HoldReasonSubCode"))
        reason = in_words(code, subcode, str(record.values.get("HoldReason", "")))
        worker.job = held(reason)
        if code in BY_PERSON or code == SPOOLING:
            return
        _count(self.losses, worker.site)
        if code != BY_POLICY or not worker.error:  # what the pilot said itself is more telling than its exit code
            worker.error = reason

    def _terminate(self, worker: Worker, record: Record) -> JobStatus:
        code = record.values.get("ReturnValue")
        if code == 0:
            _count(self.successes, worker.site)
        else:
            how = f"signal {record.values.get('TerminatedBySignal')}" if code is None else f"exit code {code}"
            worker.error = worker.error or f"the pilot ended with {how}"
            _count(self.losses, worker.site)
        return JobStatus.COMPLETED

    def _end(self, proc: int, status: JobStatus) -> None:
        worker = self.workers.pop(proc)
        pilots = self.ended.setdefault(status, {})
        pilots[worker.pilot] = pilots.get(worker.pilot, 0) + 1
        if worker.error and (worker.error in self.errors or len(self.errors) < _MAX_ERRORS):
            self.errors[worker.error] = self.errors.get(worker.error, 0) + 1


def _listen(worker: Worker, info: str) -> None:
    name, _, value = info.removeprefix(CHIRP).partition(":")
    if not info.startswith(CHIRP):
        return
    match name.strip():
        case "Status":
            worker.pilot = value.strip()
        case "Error":
            worker.error = value.strip()


def _count(by_site: dict[str, int], site: str) -> None:
    if site:
        by_site[site] = by_site.get(site, 0) + 1

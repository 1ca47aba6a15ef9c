"""A pool in simulated time under the scheduler: workers take a while to start, and work on events once they run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ewms.core.scheduler.schedule import schedule
from ewms.core.scheduler.view import Cluster, Decisions, Owner, Taskforce, View, Workload

STEP = 1.0
"""Seconds between two passes: the longest that a control loop may take to notice something."""
START_SECONDS = 5.0
"""From the wish for a worker to its first event."""


@dataclass(kw_only=True)
class Job:
    """A workflow in the simulation."""

    key: str
    owner: str
    events: int
    seconds: float
    submitted: float = 0.0
    priority: int = 50
    open: bool = False
    """More events may come."""
    done: int = 0
    workers: int = 0
    starting: list[float] = field(default_factory=list)
    """When workers will run."""
    busy: list[float] = field(default_factory=list)
    """When events that are worked on will be done, the soonest first."""
    running_since: float | None = None
    surplus_since: float | None = None
    ended: float | None = None

    @property
    def backlog(self) -> int:
        return self.events - self.done

    @property
    def running(self) -> int:
        return self.workers - len(self.starting)

    def pass_time(self, now: float) -> None:
        """Finish what is due, and see which workers have started."""
        self.starting = [ready for ready in self.starting if ready > now]
        while self.busy and self.busy[0] <= now:
            self.busy.pop(0)
            self.done += 1
        if not self.backlog and not self.open and self.ended is None:
            self.ended = now
        if self.running and self.running_since is None:
            self.running_since = now

    def resize(self, workers: int, now: float) -> None:
        """Start or stop workers; those that wait go first, and what others work on is returned."""
        self.starting += [now + START_SECONDS] * (workers - self.workers)
        self.workers = workers
        self.starting = self.starting[:workers]
        self.busy = self.busy[: self.running]

    def take_up(self, now: float) -> None:
        """Give every idle worker an event."""
        idle = min(self.running, self.backlog) - len(self.busy)
        self.busy += [now + self.seconds] * idle


class Pool:
    """One cluster, and everything that was submitted to it."""

    def __init__(self, slots: int, jobs: Iterable[Job], owners: tuple[Owner, ...] = ()) -> None:
        self.slots = slots
        self.jobs = list(jobs)
        self.owners = owners
        self.now = 0.0
        self.changes = 0
        """Workers started or stopped so far."""

    def until(self, end: float) -> None:
        """Let time pass."""
        while self.now < end:
            self.step()

    def step(self) -> None:
        """One pass of the scheduler, and the work until the next."""
        for job in self.jobs:
            if job.submitted <= self.now:
                job.pass_time(self.now)
        here = [job for job in self.jobs if job.submitted <= self.now and job.ended is None]
        self._obey(here, schedule(self._view(here)))
        self.now += STEP

    def _view(self, here: list[Job]) -> View:
        works = tuple(
            Workload(
                key=job.key,
                owner=job.owner,
                priority=job.priority,
                submitted=job.submitted,
                backlog=job.backlog,
                seconds=job.seconds if job.done else None,
                running_since=job.running_since,
                surplus_since=job.surplus_since,
            )
            for job in here
        )
        forces = tuple(
            Taskforce(
                uuid=f"TF-{job.key}",
                workload=job.key,
                cluster="pool",
                workers=job.workers,
                running=job.running,
                started=job.workers > 0,
            )
            for job in here
        )
        pool = Cluster(name="pool", capacity=self.slots)
        return View(now=self.now, workloads=works, taskforces=forces, clusters=(pool,), owners=self.owners)

    def _obey(self, here: list[Job], decisions: Decisions) -> None:
        for job in here:
            workers = decisions.workers[f"TF-{job.key}"]
            self.changes += abs(workers - job.workers)
            job.surplus_since = decisions.surplus_since.get(job.key)
            job.resize(workers, self.now)
            job.take_up(self.now)

"""The scheduler's view of the control loop's picture, and what it has to remember from one pass to the next."""

from __future__ import annotations

from collections.abc import Iterable

from ewms.core.scheduler.backlog import backlog
from ewms.core.scheduler.schedule import schedule
from ewms.core.scheduler.view import Cluster, Decisions, Owner, Taskforce, View, Workload
from ewms.core.service.configuration import Configuration
from ewms.core.service.course import why_stopped
from ewms.core.service.phases import ENDING, Phase, WorkflowState
from ewms.core.service.taskforce import TaskforceDocument
from ewms.core.service.workflow import WorkflowDocument
from ewms.wms.service.picture import Case

_STARTED = frozenset({Phase.PENDING_STARTER, Phase.CONDOR_SUBMIT})
_SCHEDULED = frozenset({WorkflowState.RUNNING, WorkflowState.PAUSED})
_RUNNING = "RUNNING"
"""EWMS's word for a worker that has a slot."""


class Scheduling:
    """Asks the scheduler, pass by pass."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._surplus_since: dict[str, float] = {}
        self._running_since: dict[str, float] = {}

    def decide(self, cases: Iterable[Case], now: float, unhealthy: frozenset[str]) -> Decisions:
        """How many workers each taskforce is to have.

        Parameters
        ----------
        now
            Seconds, of the clock that workflows were stamped with.
        unhealthy
            Clusters whose TMS or backend does not answer.
        """
        scheduled = [case for case in cases if _is_scheduled(case.workflow.document)]
        workloads, taskforces = [], []
        running_since: dict[str, float] = {}
        for case in scheduled:
            workflow = case.workflow.document
            own = [_seen(one, workflow) for one in case.documents if _may_have_workers(one)]
            if any(one.running for one in own):
                key = workflow.workflow_id
                running_since[key] = self._running_since.get(key, now)
            workloads.append(self._workload(workflow, running_since.get(workflow.workflow_id)))
            taskforces += own
        self._running_since = running_since
        decisions = schedule(
            View(
                now=now,
                workloads=tuple(workloads),
                taskforces=tuple(taskforces),
                clusters=self._clusters(unhealthy),
                owners=self._owners({workload.owner for workload in workloads}),
            )
        )
        self._surplus_since = decisions.surplus_since
        return decisions

    def _workload(self, workflow: WorkflowDocument, running_since: float | None) -> Workload:
        left = backlog(workflow.tasks)
        return Workload(
            key=workflow.workflow_id,
            owner=workflow.owner,
            priority=workflow.priority,
            submitted=workflow.timestamp,
            backlog=0 if workflow.state is WorkflowState.PAUSED else left.events,
            seconds=left.seconds,
            limit=workflow.workers,
            running_since=running_since,
            surplus_since=self._surplus_since.get(workflow.workflow_id),
        )

    def _clusters(self, unhealthy: frozenset[str]) -> tuple[Cluster, ...]:
        clusters = self._configuration.clusters.items()
        return tuple(
            Cluster(name=name, capacity=cluster.max_workers, healthy=name not in unhealthy) for name, cluster in clusters
        )

    def _owners(self, names: Iterable[str]) -> tuple[Owner, ...]:
        found = []
        for name in names:
            special = self._configuration.owners.get(name)
            weight = 1.0 if special is None else special.weight
            found.append(Owner(name=name, weight=weight, quota=self._configuration.quota_of(name).workers))
        return tuple(found)


def _is_scheduled(workflow: WorkflowDocument) -> bool:
    return workflow.active and workflow.state in _SCHEDULED and not why_stopped(workflow)


def _may_have_workers(taskforce: TaskforceDocument) -> bool:
    return taskforce.phase not in ENDING and taskforce.phase is not Phase.PRE_MQ_ACTIVATION


def _seen(taskforce: TaskforceDocument, workflow: WorkflowDocument) -> Taskforce:
    """EWMS's requests say how many workers they want, whatever there is to do; while paused they want none either."""
    fixed = taskforce.n_workers
    if fixed is not None and workflow.state is WorkflowState.PAUSED:
        fixed = 0
    return Taskforce(
        uuid=taskforce.taskforce_uuid,
        workload=taskforce.workflow_id,
        cluster=taskforce.cluster,
        fixed=fixed,
        workers=taskforce.workers,
        running=sum(taskforce.compound_statuses.get(_RUNNING, {}).values()),
        started=taskforce.phase in _STARTED,
    )

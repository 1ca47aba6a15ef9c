"""Views of the scheduler: drawn by Hypothesis, taken as come true, and read."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
from hypothesis import strategies as st

from ewms.core.scheduler.view import Cluster, Decisions, Owner, Taskforce, View, Workload

SLOW = 10.0
"""Seconds of an event that make a workload want a worker per event, by the default horizon."""
CLUSTERS = ("north", "south", "west")


@st.composite
def clusters(draw: st.DrawFn, *, always_healthy: bool = False) -> tuple[Cluster, ...]:
    return tuple(
        Cluster(name=name, capacity=draw(st.integers(0, 12)), healthy=always_healthy or draw(st.integers(0, 5)) > 0)
        for name in CLUSTERS[: draw(st.integers(1, 3))]
    )


@st.composite
def workloads(draw: st.DrawFn, number: int, owners: int) -> Workload:
    return Workload(
        key=f"WF-{number}",
        owner=f"owner-{draw(st.integers(0, owners - 1))}",
        priority=draw(st.sampled_from([10, 50, 50, 100, 120])),
        submitted=draw(st.sampled_from([1.0, 2.0])),
        backlog=draw(st.integers(0, 15)),
        seconds=draw(st.sampled_from([None, 0.1, 3.0, SLOW])),
        limit=draw(st.none() | st.integers(0, 10)),
        running_since=draw(st.none() | st.sampled_from([0.0, 995.0])),
        surplus_since=draw(st.none() | st.sampled_from([969.0, 990.0])),
    )


@st.composite
def taskforces(draw: st.DrawFn, work: Workload, names: list[str]) -> list[Taskforce]:
    found = []
    for number, cluster in enumerate(draw(st.lists(st.sampled_from(names), max_size=4))):
        workers = draw(st.integers(0, 6))
        found.append(
            Taskforce(
                uuid=f"TF-{work.key}-{number}",
                workload=work.key,
                cluster=cluster,
                fixed=draw(st.none() | st.none() | st.integers(0, 5)),
                workers=workers,
                running=draw(st.integers(0, workers + 1)),
                started=workers > 0,
            )
        )
    return found


@st.composite
def views(draw: st.DrawFn) -> View:
    """Anything that may turn up."""
    known = draw(clusters())
    names = [cluster.name for cluster in known]
    works = [draw(workloads(number, 4)) for number in range(draw(st.integers(0, 7)))]
    owners = tuple(
        Owner(
            name=f"owner-{number}",
            weight=draw(st.sampled_from([0.3, 1.0, 2.0])),
            quota=draw(st.none() | st.integers(0, 12)),
        )
        for number in range(draw(st.integers(0, 4)))
    )
    return View(
        now=1000.0,
        workloads=tuple(works),
        taskforces=tuple(force for work in works for force in draw(taskforces(work, names))),
        clusters=known,
        owners=owners,
    )


@st.composite
def rivals(draw: st.DrawFn) -> View:
    """One workload per owner, a worker wanted per event, each confined to some of the clusters."""
    known = draw(clusters(always_healthy=True))
    names = [cluster.name for cluster in known]
    works = tuple(
        Workload(key=f"WF-{number}", owner=f"owner-{number}", submitted=0.0, backlog=draw(st.integers(1, 15)), seconds=SLOW)
        for number in range(draw(st.integers(1, 6)))
    )
    reach = st.lists(st.sampled_from(names), min_size=1, unique=True)
    return View(
        now=0.0,
        workloads=works,
        taskforces=tuple(
            Taskforce(uuid=f"TF-{work.key}-{name}", workload=work.key, cluster=name)
            for work in works
            for name in draw(reach)
        ),
        clusters=known,
        owners=tuple(Owner(name=work.owner, weight=draw(st.sampled_from([0.5, 1.0, 3.0]))) for work in works),
    )


def come_true(view: View, decisions: Decisions) -> View:
    """The view in which everything is as it was decided."""
    workers = decisions.workers
    forces = tuple(
        msgspec.structs.replace(force, workers=workers[force.uuid], started=force.started or workers[force.uuid] > 0)
        for force in view.taskforces
    )
    works = tuple(
        msgspec.structs.replace(work, surplus_since=decisions.surplus_since.get(work.key)) for work in view.workloads
    )
    return msgspec.structs.replace(view, taskforces=forces, workloads=works)


def shuffled(view: View, seed: int) -> View:
    """The same view, told in another order."""
    chance = random.Random(seed)
    return msgspec.structs.replace(
        view,
        workloads=tuple(chance.sample(view.workloads, len(view.workloads))),
        taskforces=tuple(chance.sample(view.taskforces, len(view.taskforces))),
        clusters=tuple(chance.sample(view.clusters, len(view.clusters))),
        owners=tuple(chance.sample(view.owners, len(view.owners))),
    )


def by_cluster(view: View, workers: dict[str, int]) -> Counter[str]:
    """Workers of each cluster."""
    found: Counter[str] = Counter()
    for force in view.taskforces:
        found[force.cluster] += workers[force.uuid]
    return found


def by_workload(view: View, workers: dict[str, int]) -> Counter[str]:
    """Workers of each workload."""
    found: Counter[str] = Counter()
    for force in view.taskforces:
        found[force.workload] += workers[force.uuid]
    return found


def by_owner(view: View, workers: dict[str, int]) -> Counter[str]:
    """Workers of each owner."""
    owners = {work.key: work.owner for work in view.workloads}
    found: Counter[str] = Counter()
    for key, count in by_workload(view, workers).items():
        found[owners[key]] += count
    return found

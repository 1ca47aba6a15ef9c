"""The scheduler's rules, one small view each."""

from __future__ import annotations

from typing import Any

import msgspec

from ewms.core.scheduler.backlog import Backlog, backlog
from ewms.core.scheduler.schedule import schedule
from ewms.core.scheduler.view import Cluster, Owner, Taskforce, View, Workload
from ewms.core.service.workflow import TaskProgress

HUNGRY: dict[str, Any] = {"backlog": 1000, "seconds": 60.0}
"""Wants a worker per event."""


def work(key: str, owner: str = "ada", **other: Any) -> Workload:
    return Workload(**{"key": key, "owner": owner, "submitted": 0.0, **HUNGRY, **other})


def force(key: str, cluster: str = "north", **other: Any) -> Taskforce:
    return Taskforce(**{"uuid": f"TF-{key}-{cluster}", "workload": key, "cluster": cluster, **other})


def view(works: list[Workload], forces: list[Taskforce], owners: tuple[Owner, ...] = (), **capacities: int) -> View:
    clusters = tuple(Cluster(name=name, capacity=capacity) for name, capacity in capacities.items())
    return View(now=100.0, workloads=tuple(works), taskforces=tuple(forces), clusters=clusters, owners=owners)


def workers(*works: Workload, owners: tuple[Owner, ...] = (), slots: int = 12) -> list[int]:
    """Workers of workloads that have a taskforce each in one cluster."""
    decisions = schedule(view(list(works), [force(each.key) for each in works], owners, north=slots))
    return [decisions.workers[f"TF-{each.key}-north"] for each in works]


def test_an_empty_view_decides_nothing() -> None:
    decisions = schedule(view([], []))
    assert (decisions.workers, decisions.start) == ({}, ())


def test_nothing_to_do_needs_no_worker() -> None:
    assert workers(work("a", backlog=0)) == [0]


def test_an_unmeasured_workflow_is_measured_by_one_worker() -> None:
    assert workers(work("a", seconds=None)) == [1]


def test_what_runs_for_seconds_without_a_result_takes_at_least_these() -> None:
    assert workers(work("a", seconds=None, backlog=10, running_since=94.0)) == [6]


def test_workers_are_enough_to_finish_within_the_horizon() -> None:
    assert workers(work("a", backlog=100, seconds=0.5)) == [5]


def test_a_workflow_keeps_what_it_has_while_there_is_an_event_for_each() -> None:
    known = view([work("a", backlog=9, seconds=0.1)], [force("a", workers=12, running=12, started=True)], north=12)
    decisions = schedule(known)
    assert decisions.workers == {"TF-a-north": 12}, "three are surplus, and nobody wants their slots yet"
    assert decisions.surplus_since == {"a": 100.0}
    later = msgspec.structs.replace(
        known, now=130.0, workloads=(msgspec.structs.replace(known.workloads[0], surplus_since=100.0),)
    )
    assert schedule(later).workers == {"TF-a-north": 9}


def test_surplus_goes_at_once_where_somebody_wants_the_slot() -> None:
    forces = [force("a", workers=12, running=12, started=True), force("b")]
    decisions = schedule(view([work("a", backlog=4, seconds=0.1), work("b", "grace")], forces, north=12))
    assert decisions.workers == {"TF-a-north": 4, "TF-b-north": 8}


def test_urgent_work_takes_slots_from_others() -> None:
    assert workers(work("a"), work("b", "grace", priority=100, backlog=9)) == [3, 9]


def test_urgent_work_does_not_wait_to_be_measured() -> None:
    assert workers(work("a", priority=100, backlog=9, seconds=None)) == [9]


def test_owners_share_whatever_number_of_workflows_they_have() -> None:
    assert workers(work("a"), work("b"), work("c"), work("d", "grace")) == [2, 2, 2, 6]


def test_weight_and_quota() -> None:
    owners = (Owner(name="ada", weight=2.0), Owner(name="alan", quota=1))
    assert workers(work("a"), work("b", "grace"), work("c", "alan"), owners=owners, slots=13) == [8, 4, 1]


def test_what_one_owner_leaves_goes_to_the_others() -> None:
    assert workers(work("a", backlog=1), work("b", "grace")) == [1, 11]


def test_priority_orders_an_owners_workflows() -> None:
    assert workers(work("a", priority=10), work("b", priority=60, backlog=10), work("c", priority=10)) == [1, 10, 1]


def test_of_equals_the_older_one_goes_first() -> None:
    assert workers(work("a", submitted=9.0), work("b", submitted=1.0), slots=1) == [0, 1]


def test_growth_is_spread_in_proportion_to_free_slots() -> None:
    forces = [force("a", "north"), force("a", "south")]
    decisions = schedule(view([work("a", limit=8)], forces, north=30, south=10))
    assert decisions.workers == {"TF-a-north": 6, "TF-a-south": 2}
    assert decisions.start == ("TF-a-north", "TF-a-south")


def test_shrinking_takes_workers_that_wait_first() -> None:
    forces = [force("a", "north", workers=6, running=1), force("a", "south", workers=6, running=6)]
    decisions = schedule(view([work("a", limit=7)], forces, north=30, south=30))
    assert decisions.workers == {"TF-a-north": 1, "TF-a-south": 6}


def test_a_workflow_moves_for_one_that_can_go_nowhere_else() -> None:
    forces = [force("a", "north", workers=5, running=5, started=True), force("a", "south"), force("b", "north")]
    decisions = schedule(view([work("a", backlog=5), work("b", "grace", backlog=5)], forces, north=5, south=5))
    assert decisions.workers == {"TF-a-north": 0, "TF-a-south": 5, "TF-b-north": 5}


def test_a_cluster_that_does_not_answer_is_left_alone_and_its_work_goes_elsewhere() -> None:
    forces = (force("a", "north", workers=5, started=True), force("a", "south"))
    clusters = (Cluster(name="north", capacity=5, healthy=False), Cluster(name="south", capacity=5))
    down = View(now=0.0, workloads=(work("a", limit=8),), taskforces=forces, clusters=clusters)
    assert schedule(down).workers == {"TF-a-north": 5, "TF-a-south": 3}


def test_a_fixed_taskforce_has_its_workers_before_there_is_an_event() -> None:
    decisions = schedule(view([work("a", backlog=0)], [force("a", fixed=7)], north=12))
    assert (decisions.workers, decisions.start) == ({"TF-a-north": 7}, ("TF-a-north",))


def test_a_replacement_gets_what_the_lost_batch_had() -> None:
    again = force("a", uuid="TF-z")
    decisions = schedule(view([work("a", limit=4)], [force("a", workers=3, started=True), again], north=12))
    assert decisions.workers == {"TF-a-north": 4, "TF-z": 0}


def test_backlog_of_several_tasks() -> None:
    tasks = {
        "read": TaskProgress(planned=10, terminal=4, seconds=2.0),
        "count": TaskProgress(planned=6, terminal=4, seconds=6.0),
        "sort": TaskProgress(planned=4),
    }
    assert backlog(tasks) == Backlog(events=12, seconds=3.0)
    assert backlog({"sort": TaskProgress(planned=4)}) == Backlog(events=4, seconds=None)
    assert backlog({}) == Backlog(events=0, seconds=None)

"""What holds of the scheduler's decisions whatever the view."""

from __future__ import annotations

from collections import Counter

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ewms.core.scheduler.schedule import schedule
from ewms.core.scheduler.view import View
from tests.property.views import by_cluster, by_owner, by_workload, come_true, rivals, shuffled, views

EXAMPLES = settings(max_examples=3 * settings().max_examples)  # no I/O: more for the same time


@EXAMPLES
@given(views())
def test_nothing_is_exceeded(view: View) -> None:
    workers = schedule(view).workers
    assert set(workers) == {force.uuid for force in view.taskforces}
    assert min(workers.values(), default=0) >= 0
    healthy = {cluster.name for cluster in view.clusters if cluster.healthy}
    for cluster in view.clusters:
        if cluster.healthy:
            assert by_cluster(view, workers)[cluster.name] <= cluster.capacity
    for force in view.taskforces:
        if force.cluster not in healthy:
            assert workers[force.uuid] == force.workers
        elif force.fixed is not None:
            assert workers[force.uuid] <= force.fixed
    held = {force.uuid: 0 if force.cluster in healthy else force.workers for force in view.taskforces}
    for owner in view.owners:
        if owner.quota is not None:
            assert by_owner(view, workers)[owner.name] <= max(owner.quota, by_owner(view, held)[owner.name])
    flexible = msgspec.structs.replace(view, taskforces=tuple(f for f in view.taskforces if f.fixed is None))
    for work in view.workloads:
        if work.limit is not None:
            assert by_workload(flexible, workers)[work.key] <= max(work.limit, by_workload(flexible, held)[work.key])


@EXAMPLES
@given(views())
def test_nobody_grows_above_the_events_left(view: View) -> None:
    workers = schedule(view).workers
    healthy = {cluster.name for cluster in view.clusters if cluster.healthy}
    flexible = tuple(force for force in view.taskforces if force.fixed is None and force.cluster in healthy)
    view = msgspec.structs.replace(view, taskforces=flexible)
    had = by_workload(view, {force.uuid: force.workers for force in flexible})
    for work in view.workloads:
        assert by_workload(view, workers)[work.key] <= max(work.backlog, had[work.key])


@EXAMPLES
@given(views())
def test_what_has_come_true_is_not_changed(view: View) -> None:
    decisions = schedule(view)
    again = schedule(come_true(view, decisions))
    assert again.workers == decisions.workers
    assert again.surplus_since == decisions.surplus_since
    assert again.start == ()


@EXAMPLES
@given(views(), st.integers(0, 1000))
def test_the_order_of_a_view_means_nothing(view: View, seed: int) -> None:
    assert schedule(shuffled(view, seed)) == schedule(view)


@EXAMPLES
@given(views())
def test_what_is_given_workers_is_started_once(view: View) -> None:
    decisions = schedule(view)
    expected = sorted(force.uuid for force in view.taskforces if not force.started and decisions.workers[force.uuid])
    assert list(decisions.start) == expected


@EXAMPLES
@given(views())
def test_urgent_work_gets_what_it_would_get_alone(view: View) -> None:
    urgent = tuple(work for work in view.workloads if work.priority >= view.policy.urgent)
    keys = {work.key for work in urgent}
    healthy = {cluster.name for cluster in view.clusters if cluster.healthy}
    # What is out of reach at a dead cluster counts in everybody's quota, so it stays in the view.
    forces = tuple(force for force in view.taskforces if force.workload in keys or force.cluster not in healthy)
    others = tuple(msgspec.structs.replace(work, backlog=0) for work in view.workloads if work.key not in keys)
    alone = msgspec.structs.replace(view, taskforces=forces, workloads=urgent + others)
    together, apart = schedule(view), schedule(alone)
    spare = set(together.surplus_since) | set(apart.surplus_since)  # kept only where nobody wants the slot
    for key in keys - spare:
        assert by_workload(view, together.workers)[key] == by_workload(alone, apart.workers)[key]


@EXAMPLES
@given(rivals())
def test_no_slot_is_idle_that_somebody_could_use(view: View) -> None:
    workers = schedule(view).workers
    assert sum(workers.values()) == most_placed(view, {work.key: work.backlog for work in view.workloads})


@EXAMPLES
@given(rivals())
def test_shares_are_as_equal_as_clusters_allow(view: View) -> None:
    """The same as handing out slot by slot, always to whoever has least for its weight and can still be given one."""
    weights = {f"WF-{owner.name.removeprefix('owner-')}": owner.weight for owner in view.owners}
    expected: Counter[str] = Counter()
    hungry = {work.key: work.backlog for work in view.workloads}
    while hungry:
        key = min(sorted(hungry), key=lambda key: expected[key] / weights[key])
        expected[key] += 1
        if expected[key] > hungry[key] or most_placed(view, expected) < expected.total():
            expected[key] -= 1
            del hungry[key]
    given = by_workload(view, schedule(view).workers)
    for key, share in expected.items():
        assert abs(given[key] - share) <= 1


@EXAMPLES
@given(rivals())
def test_equal_owners_in_the_same_clusters_differ_by_a_slot_at_most(view: View) -> None:
    view = msgspec.structs.replace(view, owners=())
    reach = {work.key: {f.cluster for f in view.taskforces if f.workload == work.key} for work in view.workloads}
    given = by_workload(view, schedule(view).workers)
    for one in view.workloads:
        for other in view.workloads:
            if reach[one.key] == reach[other.key] and given[one.key] < one.backlog:
                assert given[other.key] <= given[one.key] + 1


def most_placed(view: View, wanted: dict[str, int] | Counter[str]) -> int:
    """How many workers fit: by Hall's theorem the least, over sets of clusters, of what they hold and others want."""
    reach = {work.key: {f.cluster for f in view.taskforces if f.workload == work.key} for work in view.workloads}
    names = [cluster.name for cluster in view.clusters]
    capacity = {cluster.name: cluster.capacity for cluster in view.clusters}
    least = sum(wanted.values())
    for bits in range(1 << len(names)):
        chosen = {name for number, name in enumerate(names) if bits >> number & 1}
        elsewhere = sum(count for key, count in wanted.items() if not reach[key] <= chosen)
        least = min(least, sum(capacity[name] for name in chosen) + elsewhere)
    return least

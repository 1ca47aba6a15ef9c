"""`python -m bench.scheduler [--keep]`: processor time of one pass over 10,000 taskforces, for several shapes of them."""

from __future__ import annotations

import argparse
import gc
import statistics
import time

from bench.sections import table, write_section
from ewms.core.scheduler.schedule import schedule
from ewms.core.scheduler.view import Cluster, Owner, Taskforce, View, Workload

TASKFORCES = 10_000
_PASSES = 9
_GOAL_MS = 100.0


def crowd(*, workflows: int, owners: int, clusters: int, slots: int, reach: int, weighted: bool = False) -> View:
    """Workflows that all want more than there is, `reach` clusters each, a few of them urgent, before anything runs."""
    works = tuple(
        Workload(
            key=f"WF-{number:05}",
            owner=f"owner-{number % owners}",
            priority=100 if number % 500 == 0 else 40 + number % 3 * 10,
            submitted=float(number),
            backlog=10 + number % 1000,
            seconds=1.0 + number % 90,
            limit=200,
        )
        for number in range(workflows)
    )
    forces = tuple(
        Taskforce(uuid=f"{work.key}-{part}", workload=work.key, cluster=f"cluster-{(number + part) % clusters}")
        for number, work in enumerate(works)
        for part in range(reach)
    )
    known = tuple(Owner(name=f"owner-{number}", weight=1.0 + number % 4, quota=slots // 2) for number in range(owners))
    return View(
        now=1e6,
        workloads=works,
        taskforces=forces,
        clusters=tuple(Cluster(name=f"cluster-{number}", capacity=slots // clusters) for number in range(clusters)),
        owners=known if weighted else (),
    )


def settled(view: View) -> View:
    """The same when the decisions have come true."""
    workers = schedule(view).workers
    forces = (
        Taskforce(
            uuid=force.uuid,
            workload=force.workload,
            cluster=force.cluster,
            workers=workers[force.uuid],
            running=workers[force.uuid],
            started=workers[force.uuid] > 0,
        )
        for force in view.taskforces
    )
    return View(now=view.now, workloads=view.workloads, taskforces=tuple(forces), clusters=view.clusters, owners=view.owners)


def pass_seconds(view: View) -> float:
    """Median processor time of a pass."""
    taken = []
    for _ in range(_PASSES):
        gc.collect()
        began = time.process_time()
        schedule(view)
        taken.append(time.process_time() - began)
    return statistics.median(taken)


SHAPES = {
    "2,500 workflows of 4 taskforces, 20 owners, 4 clusters, 20,000 slots": crowd(
        workflows=TASKFORCES // 4, owners=20, clusters=4, slots=20_000, reach=4
    ),
    "the same, each confined to 2 of 6 clusters": crowd(
        workflows=TASKFORCES // 2, owners=20, clusters=6, slots=20_000, reach=2
    ),
    "10,000 workflows of one taskforce, 1,000 owners of different weight with quotas": crowd(
        workflows=TASKFORCES, owners=1000, clusters=4, slots=20_000, reach=1, weighted=True
    ),
    "10,000 workflows of one owner, 1,000 slots": crowd(workflows=TASKFORCES, owners=1, clusters=1, slots=1000, reach=1),
}


def main(*, keep: bool) -> None:
    """Print a line per shape: from nothing, and when nothing changes any more. With `keep`, write the section too."""
    rows = []
    for name, view in SHAPES.items():
        figures = [1e3 * pass_seconds(each) for each in (view, settled(view))]
        verdict = "met" if max(figures) < _GOAL_MS else "**missed**"
        rows.append((name, *(f"**{figure:.0f}**" for figure in figures), f"below {_GOAL_MS:g}: {verdict}"))
    body = f"Median of {_PASSES} passes over {TASKFORCES:,} taskforces, processor time in ms.\n\n"
    body += table(("shape", "from nothing", "steady", "goal"), rows)
    print(body)
    if keep:
        write_section("A pass of the scheduler", body)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="write the section of bench/RESULTS.md")
    main(keep=parser.parse_args().keep)

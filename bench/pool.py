"""`python -m bench.pool [--rounds 3] [--keep]`: a whole service on a real HTCondor pool, its latencies, and what dies in it.

The parts are processes of their own: service, driver host, TMS, broker, and the private pool of the tests. One worker,
events of 0.1 s. A recovery is the time from the kill until 15 more outcomes are seen, 1.5 s of them work; the first row
tells how long that takes when nothing is killed. A latency counts from before the client's call, which uploads, too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.sections import table, write_section
from ewms.client.remote_workflow import RemoteWorkflow
from ewms.client.session import Session
from tests.support.condor import CondorPool
from tests.support.dev_tree import wait_until
from tests.support.site import CLUSTER, Site, running_site
from tests.support.site_work import (
    HIDDEN,
    Kill,
    accepted,
    check_product,
    kill_part,
    kill_schedd,
    kill_shadow,
    kill_starter,
    make_haste,
    submit,
    wait_accepted,
)

Figures = dict[str, list[float]]
_LOOK_SECONDS = 0.005
_EVENTS = 1000
_GOALS = {
    "POST to the job in the queue": 1.0,
    "POST to the first outcome, idle pool": 5.0,
    "last outcome to nothing left": 2.0,
}
_IN_QUEUE, _FIRST, _TORN_DOWN = _GOALS


def _remove(site: Site) -> None:
    (cluster,) = site.clusters()
    site.pool.tool("condor_rm", str(cluster))


def _hold(site: Site) -> None:
    (cluster,) = site.clusters()
    site.pool.tool("condor_hold", "-reason", "the disk is full", f"{cluster}.0")


def _restart_pool(site: Site) -> None:
    site.pool.restart()


KILLS: dict[str, Kill] = {
    "nothing": lambda site: None,
    "starter": kill_starter,
    "shadow": kill_shadow,
    "schedd, until it answers again (workers go on)": kill_schedd,
    "`ewms tms`": kill_part("tms"),
    "`ewms serve`": kill_part("serve"),
    "`ewms drive`": kill_part("drive"),
    "broker": kill_part("broker"),
    "the batch, by `condor_rm`": _remove,
    "the worker, by `condor_hold` (replaced after 5 s here)": _hold,
    "the whole pool, stopped and started": _restart_pool,
}
_BETWEEN = "`ewms tms` between submitted and recorded, until recorded"


def _spin(condition: Callable[[], object], what: str) -> None:
    """Wait without rest: the figure is what matters."""
    end = time.monotonic() + 120.0
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"bench: waited in vain for {what}")
        time.sleep(_LOOK_SECONDS)


def latencies(site: Site, session: Session, folder: Path) -> dict[str, float]:
    """Of one workflow on an idle pool: as the event log, the stream of outcomes, the schedd and the broker tell."""
    before = len(site.submitted())
    posted = time.monotonic()
    workflow = submit(session, folder, events=20)
    _spin(lambda: len(site.submitted()) > before, "the job")
    queued = time.monotonic()
    first = last = 0.0
    for _ in workflow.outcomes():
        last = time.monotonic()
        first = first or last
    _spin(lambda: not site.clusters() and not site.queues(), "the end")
    ended = time.monotonic()
    check_product(site, workflow, folder / "out", events=20)
    return {_IN_QUEUE: queued - posted, _FIRST: first - posted, _TORN_DOWN: ended - last}


def recovery(site: Site, session: Session, folder: Path, kill: Kill) -> float:
    """Seconds until work is seen to go on."""
    workflow = submit(session, folder, events=_EVENTS)
    wait_accepted(site, workflow, 5)
    before = accepted(workflow)
    began = time.monotonic()
    kill(site)
    seconds = time.monotonic() - began
    if kill is not kill_schedd:
        wait_accepted(site, workflow, before + HIDDEN)
        seconds = time.monotonic() - began
    make_haste(folder)
    check_product(site, workflow, folder / "out", events=_EVENTS)
    return seconds


def recorded(site: Site, session: Session, folder: Path) -> float:
    """Seconds from the start of a TMS until a batch is recorded that the one before had submitted when it was killed."""
    site.stop("tms")
    site.start_part("tms", dies="before:confirm_submit")
    workflow = submit(session, folder)
    site.wait_ended("tms")
    began = time.monotonic()
    site.start_part("tms")
    wait_until(lambda: _phases(workflow) == ["condor-submit"], "the batch to be recorded")
    seconds = time.monotonic() - began
    check_product(site, workflow, folder / "out")
    return seconds


def _phases(workflow: RemoteWorkflow) -> list[str]:
    return [each["phase"] for each in workflow.workers()]


def measure(site: Site, folder: Path, rounds: int) -> Figures:
    """Everything, round by round; every product is checked, and that nothing is left."""
    figures: Figures = {}

    def note(name: str, seconds: float) -> None:
        figures.setdefault(name, []).append(seconds)
        print(f"{name}: {seconds:.2f} s", flush=True)

    with site.session() as session:
        for number in range(rounds):
            for name, seconds in latencies(site, session, folder / f"latency-{number}").items():
                note(name, seconds)
            for place, (name, kill) in enumerate(KILLS.items()):
                note(name, recovery(site, session, folder / f"kill-{number}-{place}", kill))
            note(_BETWEEN, recorded(site, session, folder / f"between-{number}"))
    return figures


def shown(figures: Figures, load: float) -> str:
    """The section's body."""
    rows = []
    for name, seconds in figures.items():
        median = statistics.median(seconds)
        goal = f"below {_GOALS[name]:g}: {'met' if median < _GOALS[name] else '**missed**'}" if name in _GOALS else ""
        rows.append((name, f"**{median:.2f}** ({min(seconds):.2f} to {max(seconds):.2f})", goal))
    kinds = [row for row in rows if row[0] in _GOALS], [row[:2] for row in rows if row[0] not in _GOALS]
    rounds = max(map(len, figures.values()))
    return (
        f"Median of {rounds} rounds, lowest and highest; HTCondor's own matching takes about a second of each start. "
        f"Load during the run: {load:.1f} on average. Every product was complete, no job and no queue was left.\n\n"
        + table(("latency", "seconds", "goal"), kinds[0])
        + "\n"
        + table(("killed", "seconds until 15 more outcomes are seen, 1.5 s of them work"), kinds[1])
    )


def main(rounds: int, *, keep: bool) -> None:
    """Measure and print; with `keep`, write the section too."""
    loads = [_load()]
    with tempfile.TemporaryDirectory(prefix="ewms-pool-") as name:
        folder = Path(name)
        pool = CondorPool(folder / "condor")
        pool.start()
        try:
            with running_site(folder / "site", pool) as site:
                _warm(site)
                figures = measure(site, folder, rounds)
        finally:
            pool.clean()
        loads.append(_load())
    body = shown(figures, statistics.mean(loads))
    print(body)
    if keep:
        write_section(f"On a real HTCondor pool ({CLUSTER}, one machine)", body)


def _warm(site: Site) -> None:
    """Until the TMS has told that its pool answers."""
    with site.session() as session:
        wait_until(lambda: not any(cluster["problem"] for cluster in session.clusters()), "the TMS's first word")


def _load() -> float:
    return os.getloadavg()[0]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="write the section of bench/RESULTS.md")
    arguments = parser.parse_args()
    main(arguments.rounds, keep=arguments.keep)

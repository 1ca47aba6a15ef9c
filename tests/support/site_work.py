"""A workflow of some seconds at a site, what may die meanwhile, and what must hold when it is over."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil

from ewms.client.remote_workflow import RemoteWorkflow
from ewms.client.session import Session
from tests.integration.htcondor.conftest import processes, shadows, starters
from tests.support.condor import CondorPool
from tests.support.dev_tree import wait_until
from tests.support.site import Site

EVENT_SECONDS = 0.1
HIDDEN = 15
"""More outcomes than one worker brings while a status is on its way."""
RECOVERY_SECONDS = 200.0
"""Long, because MongoDB keeps a transaction for a minute whose client was killed: whoever needs its documents waits."""
_WORK = """
import pathlib
import time

HASTE = pathlib.Path({haste!r})

def square(n):
    if not HASTE.exists():
        time.sleep({seconds})
    return n * n
"""
_TASK = 'name = "square"\npython = "work:square"\ninput = "numbers"\noutput = "squares"\nbundle = 1\n'

Kill = Callable[[Site], object]


def submit(session: Session, folder: Path, events: int = 60, *, workers: int = 1) -> RemoteWorkflow:
    """A workflow of so many tenths of a second for one worker, until it is told to make haste.

    Parameters
    ----------
    folder
        Of its files; made, if need be. Slots must be on this machine, for that is where they look for haste.
    """
    folder.mkdir(exist_ok=True)
    lines = folder / "numbers.jsonl"
    lines.write_text("".join(f"{number}\n" for number in range(events)))
    flow = folder / "flow"
    flow.mkdir()
    flow.joinpath("work.py").write_text(_WORK.format(haste=str(folder / "haste"), seconds=EVENT_SECONDS))
    flow.joinpath("workflow.toml").write_text(f'name = "squares"\n[[tasks]]\n{_TASK}')
    return session.submit(flow, inputs=[lines], workers=workers)


def make_haste(folder: Path) -> None:
    """Let what is left take no time."""
    (folder / "haste").touch()


def accepted(workflow: RemoteWorkflow) -> int:
    """Events with an outcome, by its status."""
    return workflow.status().counts.get("accepted", 0)


def wait_accepted(site: Site, workflow: RemoteWorkflow, events: int) -> float:
    """Wait until so many outcomes are accepted; the seconds that took."""
    began = time.monotonic()
    wait_until(lambda: accepted(workflow) >= events, f"{events} accepted events: {site.logs()}", RECOVERY_SECONDS)
    return time.monotonic() - began


def check_product(site: Site, workflow: RemoteWorkflow, folder: Path, events: int = 60) -> None:
    """Every event counts once; every taskforce was one cluster; no job is left, and no queue."""
    workflow.wait()
    workflow.download(folder)
    lines = (folder / "product" / "outcomes.jsonl").read_text().splitlines()
    assert sorted(lines) == sorted(f'{{"id":"{number}","output":{number * number}}}' for number in range(events))
    counted = workflow.summary()["events"]
    assert (counted["accepted"], counted["dead_lettered"]) == (events, 0)
    check_nothing_left(site)
    if site.has_pool:
        submitted = Counter(site.submitted())
        taskforces = [each["taskforce_uuid"] for each in workflow.workers()]
        assert {uuid: submitted[uuid] for uuid in taskforces} == dict.fromkeys(taskforces, 1)


def check_nothing_left(site: Site) -> None:
    """No job and no queue, after a while."""
    wait_until(lambda: not site.clusters(), f"the end of its clusters: {site.logs()}")
    wait_until(lambda: not site.queues(), f"the end of its queues: {site.logs()}")


def kill_job(find: Callable[[CondorPool, int], list[psutil.Process]]) -> Kill:
    """What kills the process of a site's one worker that is found so."""

    def kill(site: Site) -> None:
        (cluster,) = site.clusters()
        found: list[psutil.Process] = []

        def is_there() -> bool:
            found[:] = find(site.pool, cluster)
            return len(found) == 1

        wait_until(is_there, f"the one process of cluster {cluster}")
        found[0].kill()

    return kill


def kill_schedd(site: Site) -> None:
    """Returns when the pool has another one."""
    (process,) = processes(site.pool, "condor_schedd")
    process.kill()
    process.wait()
    site.clusters()


def kill_part(name: str) -> Kill:
    """What kills a process of the site."""
    return lambda site: site.kill(name)


kill_starter, kill_shadow = kill_job(starters), kill_job(shadows)

"""The whole service on a real HTCondor pool: products as of a local run, whatever dies meanwhile; nothing left behind."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from ewms.client.remote_workflow import RemoteWorkflow
from ewms.client.session import Session
from tests.acceptance.service.test_secrets import KEPT, SPEC, WORK, pilot_secrets, secrets_of
from tests.integration.htcondor.conftest import processes, shadows, starters
from tests.support.condor import CondorPool, condor_pool
from tests.support.dev_tree import wait_until
from tests.support.secret_hunt import SecretHunt
from tests.support.site import Site, running_site

__all__ = ["condor_pool"]

log = logging.getLogger(__name__)

OCR = Path(__file__).parents[3] / "examples" / "ocr"
Kill = Callable[[Site], None]
EVENTS = 60
HIDDEN = 15
"""More outcomes than one worker brings while a status is on its way."""
SECONDS = 100.0
TEARDOWN_SECONDS = 2.0
RECOVERY_SECONDS = 60.0


@pytest.fixture
def site(condor_pool: CondorPool, tmp_path: Path) -> Iterator[Site]:
    """On a pool that others may use at the same time."""
    with condor_pool.used(), running_site(tmp_path / "site", condor_pool) as site:
        yield site


@pytest.fixture
def lonely_site(condor_pool: CondorPool, tmp_path: Path) -> Iterator[Site]:
    """On a pool whose schedd may be killed, because nobody else uses it."""
    with condor_pool.used(alone=True), running_site(tmp_path / "site", condor_pool) as site:
        yield site


def ewms(folder: Path, *arguments: str, site: Site | None = None) -> str:
    """Run a command in a folder, with a site's address and token; what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "ewms", *arguments],
        cwd=folder,
        env={**os.environ, **(site.environment if site else {})},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode in {0, 3}, done.stdout + done.stderr + (site.logs() if site else "")
    return done.stdout + done.stderr


def contents(product: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in product.iterdir()}


def check_as_local(site: Site, folder: Path, *arguments: str) -> None:
    """The product of a workflow is that of `ewms run`, byte for byte."""
    folder.mkdir(exist_ok=True)
    ewms(folder, "submit", *arguments, "--wait", "--out", "remote", site=site)
    ewms(folder, "run", *arguments, "--out", "local", "--workers", "2")
    products = [contents(folder / where / "product") for where in ("remote", "local")]
    assert products[0] == products[1] != {}


def test_examples_make_what_they_make_locally(site: Site, tmp_path: Path) -> None:
    check_as_local(site, tmp_path / "ocr", str(OCR), "--set", "sample_pages=2")
    scan = tmp_path / "scan"
    scan.mkdir()
    simulate = [str(Path(sys.executable).with_name("skymap-scanner")), "simulate", "--zenith", "80", "--azimuth", "210"]
    subprocess.run([*simulate, "--out", "event.json"], cwd=scan, check=True, capture_output=True, timeout=SECONDS)
    settings = ("--set", "nsides=1:0,2:12", "--set", "reco=dummy", "--set", "plots=false")
    check_as_local(site, scan, "skymap_scanner", "--input", "event.json", *settings)
    check_nothing_left(site)


def submit(session: Session, folder: Path, *, workers: int = 1) -> RemoteWorkflow:
    """A workflow of six seconds for one worker."""
    lines = folder / "numbers.jsonl"
    lines.write_text("".join(f"{number}\n" for number in range(EVENTS)))
    flow = folder / "flow"
    flow.mkdir()
    flow.joinpath("work.py").write_text("import time\n\ndef square(n):\n    time.sleep(0.1)\n    return n * n\n")
    task = 'name = "square"\npython = "work:square"\ninput = "numbers"\noutput = "squares"\nbundle = 1\n'
    flow.joinpath("workflow.toml").write_text(f'name = "squares"\n[[tasks]]\n{task}')
    return session.submit(flow, inputs=[lines], workers=workers)


def accepted(workflow: RemoteWorkflow) -> int:
    return workflow.status().counts.get("accepted", 0)


def wait_accepted(site: Site, workflow: RemoteWorkflow, events: int) -> float:
    """Wait until so many outcomes are accepted; the seconds that took."""
    began = time.monotonic()
    wait_until(lambda: accepted(workflow) >= events, f"{events} accepted events: {site.logs()}", RECOVERY_SECONDS)
    return time.monotonic() - began


def check_product(site: Site, workflow: RemoteWorkflow, folder: Path) -> None:
    """Every event counts once; every taskforce was one cluster; no job is left, and no queue."""
    workflow.wait()
    workflow.download(folder)
    lines = (folder / "product" / "outcomes.jsonl").read_text().splitlines()
    assert lines == [f'{{"id":"{number}","output":{number * number}}}' for number in range(EVENTS)]
    events = workflow.summary()["events"]
    assert (events["accepted"], events["dead_lettered"]) == (EVENTS, 0)
    check_nothing_left(site)
    taskforces = Counter(each["taskforce_uuid"] for each in workflow.workers())
    assert Counter(site.submitted()) == taskforces


def check_nothing_left(site: Site) -> None:
    wait_until(lambda: not site.clusters(), f"the end of its clusters: {site.logs()}")
    wait_until(lambda: not site.streams(), f"the end of its queues: {site.logs()}")


def kill_job(find: Callable[[CondorPool, int], list[psutil.Process]]) -> Kill:
    """What kills the process of a site's one worker that is found so."""

    def kill(site: Site) -> None:
        (cluster,) = site.clusters()
        (process,) = find(site.pool, cluster)
        process.kill()

    return kill


def kill_schedd(site: Site) -> None:
    (process,) = processes(site.pool, "condor_schedd")
    process.kill()
    process.wait()
    began = time.monotonic()
    site.clusters()
    log.info("the schedd answers again after seconds=%.1f", time.monotonic() - began)


def kill_part(name: str) -> Kill:
    return lambda site: site.kill(name)


def check_survived(site: Site, folder: Path, what: str, kill: Kill) -> None:
    """While the one worker of a workflow works, something is killed; it goes on and is complete."""
    with site.session() as session:
        workflow = submit(session, folder)
        wait_accepted(site, workflow, 5)
        before = accepted(workflow)
        kill(site)
        seconds = wait_accepted(site, workflow, before + HIDDEN)
        log.info("recovered from=%s seconds=%.1f", what, seconds)
        check_product(site, workflow, folder / "out")


def test_killed_starter(site: Site, tmp_path: Path) -> None:
    check_survived(site, tmp_path, "starter", kill_job(starters))


@pytest.mark.soak
@pytest.mark.parametrize("part", ["serve", "drive", "tms", "broker"])
def test_killed_part(site: Site, tmp_path: Path, part: str) -> None:
    check_survived(site, tmp_path, part, kill_part(part))


@pytest.mark.soak
def test_killed_shadow(site: Site, tmp_path: Path) -> None:
    check_survived(site, tmp_path, "shadow", kill_job(shadows))


@pytest.mark.soak
def test_killed_schedd(lonely_site: Site, tmp_path: Path) -> None:
    check_survived(lonely_site, tmp_path, "schedd", kill_schedd)


def test_tms_killed_between_submitted_and_recorded(site: Site, tmp_path: Path) -> None:
    site.stop("tms")
    site.start_part("tms", dies="before:confirm_submit")
    with site.session() as session:
        workflow = submit(session, tmp_path)
        assert site.wait_ended("tms") == -signal.SIGKILL
        (cluster,) = site.clusters()
        began = time.monotonic()
        site.start_part("tms")
        wait_until(lambda: [each["phase"] for each in workflow.workers()] == ["condor-submit"], "the batch to be recorded")
        log.info("recovered from=tms-before-recorded seconds=%.1f", time.monotonic() - began)
        assert site.clusters() == {cluster}
        check_product(site, workflow, tmp_path / "out")


def test_a_batch_removed_by_an_administrator_is_explained_and_replaced(site: Site, tmp_path: Path) -> None:
    with site.session() as session:
        workflow = submit(session, tmp_path)
        wait_accepted(site, workflow, 5)
        (cluster,) = site.clusters()
        began = time.monotonic()
        site.pool.tool("condor_rm", str(cluster))
        wait_until(lambda: len(site.submitted()) == 2, f"another batch: {site.logs()}")
        log.info("recovered from=condor_rm seconds=%.1f", time.monotonic() - began)
        check_product(site, workflow, tmp_path / "out")
        removed, successor = sorted(workflow.workers(), key=lambda each: each["cluster_id"])
    assert removed["cluster_id"] == cluster
    assert "removed" in removed["reason"]
    assert (removed["phase"], successor["phase"]) == ("condor-complete", "condor-complete")


def test_nothing_is_left_two_seconds_after_the_last_outcome(site: Site, tmp_path: Path) -> None:
    with site.session() as session:
        workflow = submit(session, tmp_path, workers=2)
        for number, _ in enumerate(workflow.outcomes(), start=1):
            if number == EVENTS:
                break
        began = time.monotonic()
        check_nothing_left(site)
        seconds = time.monotonic() - began
        log.info("torn down seconds=%.1f", seconds)
        assert seconds < TEARDOWN_SECONDS


def test_no_secret_shows(site: Site, tmp_path: Path) -> None:
    flow = tmp_path / "flow"
    flow.mkdir()
    (flow / "workflow.toml").write_text(SPEC)
    (flow / "work.py").write_text(WORK)
    (tmp_path / "numbers.jsonl").write_text("".join(f"{number}\n" for number in range(40)))
    hunt = SecretHunt(secrets_of(site.data))
    with hunt.watching_processes(), site.session() as session:
        workflow = session.submit(flow, inputs=[tmp_path / "numbers.jsonl"])
        wait_until(lambda: bool(pilot_secrets(site.data)), "pilots")
        late = SecretHunt(pilot_secrets(site.data))
        wait_until(lambda: bool(site.clusters()), "a batch")
        ads = site.job_ads().encode()
        assert workflow.id.encode() in ads
        with late.watching_processes():
            workflow.wait()
    everything = SecretHunt(hunt.secrets | late.secrets)
    assert hunt.in_processes() == late.in_processes() == []
    assert everything.in_data("the job ads", ads) == []
    assert everything.in_files(site.folder, kept=[f"data/{pattern}" for pattern in KEPT]) == []

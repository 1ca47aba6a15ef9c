"""The whole service on a real HTCondor pool: products as of a local run, whatever dies meanwhile; nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.service.test_secrets import KEPT, SPEC, WORK, pilot_secrets, secrets_of
from tests.support.condor import CondorPool, condor_pool
from tests.support.dev_tree import wait_until
from tests.support.secret_hunt import SecretHunt
from tests.support.site import CLUSTER, Site, running_site
from tests.support.site_work import (
    HIDDEN,
    Kill,
    accepted,
    check_nothing_left,
    check_product,
    kill_part,
    kill_schedd,
    kill_shadow,
    kill_starter,
    make_haste,
    submit,
    wait_accepted,
)

__all__ = ["condor_pool"]

OCR = Path(__file__).parents[3] / "examples" / "ocr"
SECONDS = 200.0
pytestmark = pytest.mark.timeout(300)


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


def check_survived(site: Site, folder: Path, kill: Kill) -> None:
    """While the one worker of a workflow works, something is killed; it goes on and is complete."""
    with site.session() as session:
        workflow = submit(session, folder, events=1000)
        wait_accepted(site, workflow, 5)
        before = accepted(workflow)
        kill(site)
        wait_accepted(site, workflow, before + HIDDEN)
        make_haste(folder)
        check_product(site, workflow, folder / "out", events=1000)


@pytest.mark.soak
@pytest.mark.parametrize("kill", [kill_starter, kill_shadow], ids=["starter", "shadow"])
def test_killed_worker(site: Site, tmp_path: Path, kill: Kill) -> None:
    check_survived(site, tmp_path, kill)


@pytest.mark.soak
@pytest.mark.parametrize("part", ["serve", "drive", "tms", "broker"])
def test_killed_part(site: Site, tmp_path: Path, part: str) -> None:
    check_survived(site, tmp_path, kill_part(part))


@pytest.mark.soak
def test_killed_schedd(lonely_site: Site, tmp_path: Path) -> None:
    check_survived(lonely_site, tmp_path, kill_schedd)


@pytest.mark.soak
def test_tms_killed_between_submitted_and_recorded(site: Site, tmp_path: Path) -> None:
    site.stop("tms")
    site.start_part("tms", dies="before:confirm_submit")
    with site.session() as session:
        workflow = submit(session, tmp_path)
        assert site.wait_ended("tms") == -signal.SIGKILL
        (cluster,) = site.clusters()
        site.start_part("tms")
        wait_until(lambda: [each["phase"] for each in workflow.workers()] == ["condor-submit"], "the batch to be recorded")
        assert site.clusters() == {cluster}
        check_product(site, workflow, tmp_path / "out")


def test_a_batch_removed_by_an_administrator_is_explained_and_replaced(site: Site, tmp_path: Path) -> None:
    with site.session() as session:
        workflow = submit(session, tmp_path, events=1000)
        wait_accepted(site, workflow, 5)
        (cluster,) = site.clusters()
        site.pool.tool("condor_rm", str(cluster))
        wait_until(lambda: len(site.submitted()) == 2, f"another batch: {site.logs()}")
        make_haste(tmp_path)
        check_product(site, workflow, tmp_path / "out", events=1000)
        wait_until(
            lambda: {each["phase"] for each in workflow.workers()} == {"condor-complete"}, f"both ended: {site.logs()}"
        )
        removed, _ = sorted(workflow.workers(), key=lambda each: each["cluster_id"])
    assert removed["cluster_id"] == cluster
    assert "removed" in removed["reason"]


def test_a_worker_held_by_an_administrator_is_explained_and_replaced(site: Site, tmp_path: Path) -> None:
    with site.session() as session:
        workflow = submit(session, tmp_path, events=1000)
        wait_accepted(site, workflow, 5)
        (cluster,) = site.clusters()
        site.pool.tool("condor_hold", "-reason", "the disk is full", f"{cluster}.0")
        explained = "HELD: put on hold by a person: the disk is full"
        wait_until(lambda: explained in str(workflow.workers()), f"the reason: {site.logs()}")
        make_haste(tmp_path)
        check_product(site, workflow, tmp_path / "out", events=1000)


@pytest.mark.soak
def test_a_pool_that_is_down_only_delays(lonely_site: Site, tmp_path: Path) -> None:
    site = lonely_site
    with site.session() as session:
        begun = submit(session, tmp_path / "begun", events=1000)
        wait_accepted(site, begun, 5)
        site.pool.stop()
        waiting = submit(session, tmp_path / "waiting")

        def explained() -> bool:
            return f"{CLUSTER} does not answer for now" in ewms(tmp_path, "workers", waiting.id, site=site)

        try:
            wait_until(explained, f"the reason: {site.logs()}")
            assert {begun.status().state, waiting.status().state} == {"running"}
        finally:
            site.pool.start()
        make_haste(tmp_path / "begun")
        check_product(site, begun, tmp_path / "begun" / "out", events=1000)
        check_product(site, waiting, tmp_path / "waiting" / "out")
    assert len(site.submitted()) == 2


def test_nothing_is_left_after_the_last_outcome(site: Site, tmp_path: Path) -> None:
    with site.session() as session:
        workflow = submit(session, tmp_path, workers=2)
        assert sum(1 for _ in workflow.outcomes()) == 60
        check_nothing_left(site)


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

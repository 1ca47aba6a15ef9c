"""`ewms run --backend htcondor`, as a user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.condor import CondorPool
from tests.support.dev_tree import wait_until
from tests.support.running import EWMS

SECONDS = 200.0
SPEC = """
name = "squares"

[[tasks]]
name = "square"
python = "work:square"
input = "numbers"
output = "squares"
bundle = 1
"""
WORK = "import time\n\ndef square(number):\n    time.sleep(0.05)\n    return number * number\n"
EVENTS = 60
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def flow(tmp_path: Path, condor_pool: CondorPool) -> Iterator[Path]:
    """A folder as a user has it; no job of it is left behind."""
    (tmp_path / "workflow.toml").write_text(SPEC)
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "numbers.jsonl").write_text("".join(f"{number}\n" for number in range(EVENTS)))
    with condor_pool.used():
        yield tmp_path
        if left := jobs(condor_pool, tmp_path):
            condor_pool.tool("condor_rm", *left)


def jobs(pool: CondorPool, folder: Path) -> set[str]:
    """The clusters of a folder's runs."""
    printed = pool.tool("condor_q", "-allusers", "-factory", "-af", "ClusterId", "Iwd", "UserLog")
    return {line.split()[0] for line in printed.splitlines() if str(folder) in line}


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [EWMS, *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def product(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "product").iterdir()}


def test_the_product_is_that_of_a_local_run_and_no_job_is_left(flow: Path, condor_pool: CondorPool) -> None:
    common = ("run", "workflow.toml", "--input", "numbers.jsonl", "--workers", "2")
    done = run(flow, *common, "--out", "pool", "--backend", "htcondor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert jobs(condor_pool, flow) == set()
    assert run(flow, *common, "--out", "here").returncode == 0
    assert product(flow / "pool") == product(flow / "here") != {}


def test_a_run_that_was_killed_goes_on_with_the_jobs_that_it_has(flow: Path, condor_pool: CondorPool) -> None:
    argv = [EWMS, "run", "workflow.toml", "--input", "numbers.jsonl", "--workers", "1", "--out", "out", "--lease", "2"]
    with (flow / "log").open("wb") as log:
        process = subprocess.Popen([*argv, "--backend", "htcondor"], cwd=flow, stdout=log, stderr=log)

    def accepted() -> int:
        shown = run(flow, "status", "out", "--json")
        return int(json.loads(shown.stdout)["events"]["accepted"]) if shown.returncode == 0 else 0

    try:
        wait_until(lambda: accepted() >= 3 or process.poll() is not None, "outcomes", SECONDS)
        before = jobs(condor_pool, flow)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(before) == 1, (flow / "log").read_text()
    done = run(flow, "resume", "out")
    assert done.returncode == 0, done.stdout + done.stderr
    assert jobs(condor_pool, flow) == set()
    lines = (flow / "out" / "product" / "outcomes.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["output"] for line in lines) == sorted(number * number for number in range(EVENTS))


def test_a_pool_that_is_not_there_is_one_line(flow: Path) -> None:
    arguments = ("run", "workflow.toml", "--input", "numbers.jsonl", "--out", "out", "--backend", "htcondor")
    done = run(flow, *arguments, CONDOR_CONFIG=str(flow / "none"))
    assert done.returncode == 2
    assert "correct CONDOR_CONFIG" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1

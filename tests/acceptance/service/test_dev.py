"""`ewms dev`: whatever dies, everything goes on; and it ends when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ewms.client.connect import connect
from ewms.client.remote_workflow import RemoteWorkflow
from ewms.client.session import Session
from tests.acceptance.service.work import slow_square
from tests.support.dev_tree import DevTree, dev_tree, wait_until

PARTS = ("serve", "drive", "tms", "nats-server")
EVENTS = 60


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[DevTree]:
    with dev_tree(tmp_path / "data") as tree:
        yield tree


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevTree]:
    """For tests that kill nothing."""
    with dev_tree(tmp_path_factory.mktemp("dev") / "data") as tree:
        yield tree


def session_with(tree: DevTree) -> Session:
    return connect(tree.url, token=(tree.folder / "secrets" / "operator.token").read_text().strip())


def submit(session: Session, tmp_path: Path) -> RemoteWorkflow:
    """A workflow that takes some seconds."""
    lines = tmp_path / "numbers.jsonl"
    lines.write_text("".join(f"{number}\n" for number in range(EVENTS)))
    folder = tmp_path / "flow"
    folder.mkdir()
    folder.joinpath("work.py").write_text("import time\n\ndef square(n):\n    time.sleep(0.2)\n    return n * n\n")
    task = 'name = "square"\npython = "work:square"\ninput = "numbers"\noutput = "squares"\nbundle = 1\n'
    folder.joinpath("workflow.toml").write_text(f'name = "squares"\n[[tasks]]\n{task}')
    return session.submit(folder, inputs=[lines])


def accepted(workflow: RemoteWorkflow) -> int:
    return workflow.status().counts.get("accepted", 0)


def wait_accepted(workflow: RemoteWorkflow, events: int) -> None:
    wait_until(lambda: accepted(workflow) >= events, f"{events} accepted events")


def check_product(workflow: RemoteWorkflow, folder: Path) -> None:
    workflow.wait()
    workflow.download(folder)
    lines = (folder / "product" / "outcomes.jsonl").read_text().splitlines()
    assert lines == [f'{{"id":"{number}","output":{number * number}}}' for number in range(EVENTS)]
    summary = workflow.summary()
    assert (summary["events"]["accepted"], summary["events"]["dead_lettered"]) == (EVENTS, 0)


def test_each_part_killed_in_turn(tree: DevTree, tmp_path: Path) -> None:
    with session_with(tree) as session:
        workflow = submit(session, tmp_path)
        for number, part in enumerate(PARTS, start=1):
            wait_accepted(workflow, 8 * number)
            tree.kill(part)
        check_product(workflow, tmp_path / "out")


@pytest.mark.soak  # what is killed goes on too: the next test
def test_the_whole_started_again_goes_on(tree: DevTree, tmp_path: Path) -> None:
    with session_with(tree) as session:
        workflow = submit(session, tmp_path)
        wait_accepted(workflow, 5)
        url = tree.url
        assert tree.stop(signal.SIGINT) < 10.0
        tree.start(port=None)
        assert tree.url == url
        check_product(workflow, tmp_path / "out")


def test_the_whole_killed_leaves_nothing_running_and_goes_on(tree: DevTree, tmp_path: Path) -> None:
    with session_with(tree) as session:
        workflow = submit(session, tmp_path)
        wait_accepted(workflow, 5)
        below = psutil.Process(tree.process.pid).children(recursive=True)
        assert len(below) >= len(PARTS)
        tree.process.kill()
        tree.process.wait()
        _, alive = psutil.wait_procs(below, timeout=10.0)
        assert not alive
        tree.start(port=None)
        check_product(workflow, tmp_path / "out")


def test_nothing_of_a_workflow_is_left_when_it_has_ended(lasting: DevTree) -> None:
    with session_with(lasting) as session:
        assert list(session.map(slow_square, [1, 2])) == [1, 4]
        newest = next(session.workflows())
        workers = session.workflow(newest.workflow_id)
        wait_until(lambda: {each["phase"] for each in workers.workers()} == {"condor-complete"}, "the end of its taskforce")

    def pilots() -> list[psutil.Process]:
        below = psutil.Process(lasting.process.pid).children(recursive=True)
        return [process for process in below if "ewms.pilot" in " ".join(process.cmdline())]

    wait_until(lambda: not pilots(), "the end of its pilots")


def test_a_second_one_in_the_same_folder_is_refused(lasting: DevTree) -> None:
    argv = [sys.executable, "-m", "ewms", "dev", "--data", str(lasting.folder)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"ewms: another `ewms dev` runs in {lasting.folder}; stop it, or choose another --data\n"


def test_secrets_are_for_their_owner_alone(lasting: DevTree) -> None:
    token = (lasting.folder / "secrets" / "operator.token").read_text().strip()
    assert lasting.folder.stat().st_mode & 0o077 == 0
    assert token not in lasting.said
    assert token not in lasting.logs()
    for process in psutil.Process(lasting.process.pid).children(recursive=True):
        assert token not in " ".join(process.cmdline())
        assert token not in str(process.environ())
    assert os.stat(lasting.folder / "secrets" / "operator.token").st_mode & 0o077 == 0

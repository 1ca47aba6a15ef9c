"""Nothing of a container is left: not after a time limit, not after a drain, not after the pilot's death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from ewms.core.spec import TaskSpec
from ewms.core.wire import Kind
from tests.support import containers
from tests.support.containers import Engine
from tests.support.running import wait_for

if TYPE_CHECKING:
    from tests.integration.pilot.conftest import Rig

Make = Callable[..., TaskSpec]
SLEEP = "import sys, time; 'slow' in open(sys.argv[1]).read() and time.sleep(600); open(sys.argv[2], 'w').write('done')"
warmth = pytest.mark.parametrize("warm", ["no", "files"])


@pytest.fixture
def marker() -> str:
    """An argument that tells the processes of a test from all others."""
    return f"marker-{uuid.uuid4().hex}"


@pytest.fixture(autouse=True)
def _nothing_is_left(marker: str, settings: Path) -> Iterator[None]:
    yield
    wait_for(lambda: not _marked(marker), "the end of all processes of the test", 20.0)


def _marked(marker: str) -> list[int]:
    """Processes with that argument, inside containers too."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if marker in process.cmdline():
                found.append(process.pid)
    return found


@warmth
async def test_ewms_4_5_a_timeout_kills_the_container(
    rig: Rig, engine: Engine, container_task: Make, warm: str, marker: str
) -> None:
    task = container_task(engine, SLEEP, "{{INFILE}}", "{{OUTFILE}}", marker, timeout=5.0, container={"warm": warm})
    slow, quick = await rig.run(task, "slow", "quick")
    assert slow.reason == "timed out after 5 s"
    assert slow.detail["type"] == "timeout"
    assert quick == "done"
    assert not _marked(marker)
    if engine.tool == "podman":
        assert marker not in containers.commands()


@warmth
async def test_ewms_4_5_a_drain_ends_the_container(
    rig: Rig, engine: Engine, container_task: Make, warm: str, marker: str
) -> None:
    await rig.send("slow")
    pilot = rig.start(
        container_task(engine, SLEEP, "{{INFILE}}", "{{OUTFILE}}", marker, container={"warm": warm}), grace=0.1
    )
    await rig.until(lambda: bool(_in_python(marker)))
    rig.stop.set()
    (outcome,) = (await rig.outcomes(1)).values()
    assert getattr(outcome, "kind", None) is Kind.RETURNED
    assert await pilot == 0
    assert not _marked(marker)


@warmth
def test_a_killed_pilot_leaves_no_container(
    engine: Engine, container_task: Make, warm: str, marker: str, tmp_path: Path
) -> None:
    task = container_task(engine, SLEEP, "{{INFILE}}", "{{OUTFILE}}", marker, container={"warm": warm})
    (tmp_path / "hub").mkdir()
    script = Path(__file__).with_name("one_event.py")
    argv = [sys.executable, str(script), task.model_dump_json(), str(tmp_path)]
    pilot = subprocess.Popen(argv, start_new_session=True)
    wait_for(lambda: _in_python(marker), "the container")
    os.killpg(pilot.pid, signal.SIGKILL)
    pilot.wait()
    wait_for(lambda: not _marked(marker), "the end of the container", 20.0)


def _in_python(marker: str) -> list[int]:
    """Those that run the test's code, which is later than that their tool was started."""
    found = []
    for pid in _marked(marker):
        with suppress(psutil.Error):
            if psutil.Process(pid).cmdline()[0] == "/usr/bin/python3":
                found.append(pid)
    return found

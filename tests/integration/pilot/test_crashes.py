"""Tasks that take their process with them cost one event at most."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ewms.core.spec import ResourceSpec, TaskSpec
from ewms.core.wire import Failure

if TYPE_CHECKING:
    from tests.integration.pilot.conftest import Rig

Make = Callable[..., TaskSpec]


@pytest.mark.parametrize(
    ("body", "reason", "exit_code"),
    [
        ("segfault", "killed by SIGSEGV (Fatal Python error: Segmentation fault)", -11),
        ("os._exit", "the worker process exited with code 3 inside the task", 3),
        ("kill", "killed by SIGKILL, perhaps for want of memory", -9),
        ("sys.exit", "SystemExit: 3", None),
        ("interrupt", "KeyboardInterrupt", None),
    ],
)
async def test_only_the_event_at_fault_fails(
    rig: Rig, python_task: Make, body: str, reason: str, exit_code: int | None
) -> None:
    before, failure, after = await rig.run(python_task("violent:act"), "before", body, "after")
    assert (before, after) == ("before done", "after done")
    assert failure.reason == reason
    assert failure.detail.get("exit_code") == exit_code
    assert await rig.end() == 0


async def test_faulthandler_shows_where(rig: Rig, python_task: Make) -> None:
    (failure,) = await rig.run(python_task("violent:act"), "segfault")
    assert "violent.py" in failure.detail["stderr"]


async def test_worker_is_replaced_for_the_next_message(rig: Rig, python_task: Make) -> None:
    ids = await rig.send("segfault", "fine", "os._exit", "fine", singly=True)
    rig.start(python_task("violent:act"))
    values = await rig.values(ids)
    assert [isinstance(value, Failure) for value in values] == [True, False, True, False]


async def test_fork_in_a_task_reports_once(rig: Rig, python_task: Make) -> None:
    assert await rig.run(python_task("violent:act"), "fork", "other") == ["fork done", "other done"]


async def test_closed_descriptors_are_a_crash(rig: Rig, python_task: Make) -> None:
    failure, other = await rig.run(python_task("violent:act"), "close", "other")
    assert failure.reason.startswith("killed by SIGKILL")
    assert other == "other done"


async def test_timeout_blames_the_event_that_hangs(rig: Rig, python_task: Make) -> None:
    before, failure, after = await rig.run(python_task("violent:act", timeout=0.4), "before", "hang", "after")
    assert (before, after) == ("before done", "after done")
    assert failure.reason == "timed out after 0.4 s"
    assert failure.detail["type"] == "timeout"
    assert 0.4 <= failure.detail["seconds"] < 5


async def test_timeout_is_per_event(rig: Rig, python_task: Make) -> None:
    assert await rig.run(python_task("plain:sleeps", timeout=0.9), *[0.3] * 4) == [0.3] * 4


async def test_timeout_kills_grandchildren(rig: Rig, python_task: Make, tmp_path: Path) -> None:
    pid_file = tmp_path / "pids"
    (failure,) = await rig.run(python_task("violent:family", timeout=0.7), str(pid_file))
    assert failure.reason == "timed out after 0.7 s"
    pids = [int(pid) for pid in pid_file.read_text().split()]
    await rig.until(lambda: not any(rig.is_running(pid) for pid in pids))


async def test_memory_limit(rig: Rig, python_task: Make) -> None:
    task = python_task("violent:grow", resources=ResourceSpec(memory=150 << 20))
    small, failure, after = await rig.run(task, 1, 1000, 2)
    assert (small, after) == (1, 2)
    assert failure.reason.startswith("killed at ")
    assert failure.reason.endswith(" of 150 MiB")
    assert failure.detail["type"] == "memory"


async def test_endless_printing_costs_no_memory(rig: Rig, python_task: Make) -> None:
    before = _resident()
    (failure,) = await rig.run(python_task("violent:shout"), 100)
    assert failure.reason == "RuntimeError: hoarse"
    assert failure.detail["stdout"].endswith("spam\nlast line\n")
    assert len(failure.detail["stdout"]) <= 8 * 1024
    assert _resident() - before < 30 << 20


async def test_worker_that_dies_idle_is_nobodys_fault(rig: Rig, python_task: Make) -> None:
    (first,) = await rig.run(python_task("counting:Counter"), 1)
    os.kill(first[0], signal.SIGKILL)
    await rig.until(lambda: not rig.is_running(first[0]))
    await asyncio.sleep(0)
    (second,) = await rig.values(await rig.send(2))
    assert second[0] != first[0]


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

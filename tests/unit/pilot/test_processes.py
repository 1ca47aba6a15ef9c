"""Process trees: measured and killed as a whole."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ewms.pilot import processes
from ewms.pilot.child import describe_exit

_FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; keep = bytearray(b'x' * (60 << 20)); time.sleep(60)"],
    start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def family() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process with a large child in a session of its own."""
    process = processes.spawn([sys.executable, "-c", _FAMILY], os.environ)
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        yield process, int(process.stdout.readline())
        processes.kill_tree(process.pid)
        process.wait()


def test_kill_tree_reaches_other_sessions(family: tuple[subprocess.Popen[bytes], int]) -> None:
    process, child = family
    processes.kill_tree(process.pid)
    assert process.wait() == -9
    _until_gone(child)


def test_memory_counts_the_whole_tree(family: tuple[subprocess.Popen[bytes], int]) -> None:
    process, _ = family
    deadline = time.monotonic() + 10
    while processes.memory_above(process.pid, 60 << 20) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert processes.memory_above(process.pid, 1 << 30) is None


def test_task_environment_holds_no_settings_of_the_pilot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EWMS_PILOT_SECRET", "x")
    monkeypatch.setenv("_EWMS_PILOT_SECRET", "x")
    monkeypatch.setenv("OTHER", "pilot's")
    environment = processes.task_environment({"OTHER": "task's"})
    assert environment["OTHER"] == "task's"
    assert not [name for name in environment if "EWMS_PILOT" in name]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "exit code 0"),
        (3, "exit code 3"),
        (-11, "killed by SIGSEGV"),
        (-9, "killed by SIGKILL, perhaps for want of memory"),
        (-200, "killed by 200"),
    ],
)
def test_describe_exit(code: int, text: str) -> None:
    assert describe_exit(code) == text


def _until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    stat = Path(f"/proc/{pid}/stat")
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.01)

"""A workflow in a folder of its own, run by the real command, and means to kill what belongs to it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

EWMS = str(Path(sys.executable).with_name("ewms"))
DEADLINE = 120.0


def wait_for(condition: Callable[[], Any], what: str, deadline: float = DEADLINE) -> Any:
    """The first true value of a condition; fails the test after the deadline."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.01)
    pytest.fail(f"waited {deadline} s in vain for {what}")


class Running:
    """A workflow's folder and the driver that works in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.process: subprocess.Popen[str] | None = None

    def write(self, consumer: str, spec: str, bodies: list[Any]) -> None:
        """Write `work.py`, `workflow.toml` and the input."""
        self.folder.joinpath("work.py").write_text(consumer)
        self.folder.joinpath("workflow.toml").write_text(spec)
        lines = "".join(json.dumps(body) + "\n" for body in bodies)
        self.folder.joinpath("input.jsonl").write_text(lines)

    def open_gate(self) -> None:
        """Let consumers go on that wait for the file `gate`."""
        self.folder.joinpath("gate").touch()

    def start(self, *arguments: str) -> None:
        """Start `ewms run` in a process group of its own."""
        self._spawn(
            "run", "workflow.toml", "--input", "input.jsonl", "--out", "out", "--workers", "2", "--lease", "2", *arguments
        )

    def resume(self) -> None:
        """Start `ewms resume`."""
        self._spawn("resume", "out")

    def _spawn(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [EWMS, *arguments],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def finish(self, expected: int = 0, deadline: float = DEADLINE) -> str:
        """Wait for the driver's end with this exit code; what it printed."""
        assert self.process is not None
        output, _ = self.process.communicate(timeout=deadline)
        assert self.process.returncode == expected, output
        return output

    def call(self, *arguments: str, expected: int = 0) -> str:
        """Run another command in the folder; what it printed."""
        done = subprocess.run(
            [EWMS, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=DEADLINE, check=False
        )
        assert done.returncode == expected, done.stdout + done.stderr
        return done.stdout + done.stderr

    def accepted(self) -> int:
        """Events accepted so far."""
        if not (self.out / ".ewms" / "journal.sqlite").exists():
            return 0
        done = subprocess.run(
            [EWMS, "status", "out", "--json"], cwd=self.folder, capture_output=True, text=True, check=False, timeout=DEADLINE
        )
        if done.returncode:
            return 0
        accepted: int = json.loads(done.stdout)["events"]["accepted"]
        return accepted

    def wait_accepted(self, count: int) -> None:
        """Wait until so many events are accepted."""
        wait_for(lambda: self.accepted() >= count, f"{count} accepted events")

    def processes(self, part: str) -> list[psutil.Process]:
        """The driver's descendants whose command line has this part."""
        assert self.process is not None
        found = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if part in " ".join(child.cmdline()):
                    found.append(child)
        return found

    def pilots(self) -> list[psutil.Process]:
        """The pilots of the running driver."""
        return self.processes("ewms.pilot ")

    def kill_driver(self) -> None:
        """SIGKILL for the driver alone."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate(timeout=DEADLINE)

    def kill_all(self) -> None:
        """SIGKILL for the driver and everything it started, at one moment."""
        assert self.process is not None
        victims = [*psutil.Process(self.process.pid).children(recursive=True), psutil.Process(self.process.pid)]
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.send_signal(signal.SIGSTOP)
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()
        self.process.communicate(timeout=DEADLINE)

    def summary(self) -> dict[str, Any]:
        """`summary.json`."""
        summary: dict[str, Any] = json.loads((self.out / "summary.json").read_text())
        return summary

    def product(self) -> bytes:
        """`product/outcomes.jsonl`."""
        return (self.out / "product" / "outcomes.jsonl").read_bytes()

    def interrupt(self) -> bool:
        """Press Ctrl-C; whether the driver has ended."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.poll() is not None

    def leftovers(self) -> list[int]:
        """Processes that know this folder by their environment or command line."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.pid != os.getpid() and str(self.out) in " ".join(process.cmdline()):
                    found.append(process.pid)
        return found

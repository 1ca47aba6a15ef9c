"""`ewms dev` as a process, with the processes below it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil

from tests.support.conditions import rest_after

DEADLINE = 120.0
LEASE = 2.0


class DevTree:
    """A service in a folder, started, killed and stopped as a test wants.

    Parameters
    ----------
    folder
        Of the service.
    preload
        Whether it loads installed applications ahead.
    """

    def __init__(self, folder: Path, *, workers: int = 2, preload: bool = False) -> None:
        self.folder = folder
        self._preload = preload
        self._workers = workers
        self._log = folder.with_name(f"{folder.name}.log")
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self, *, port: int | None = 0) -> None:
        """Start it, and wait until it says that it is there; None takes the port of the last time."""
        before = self._log.stat().st_size if self._log.exists() else 0
        argv = [sys.executable, "-m", "ewms", "dev", "--data", str(self.folder), "--lease", str(LEASE)]
        argv += ["--workers", str(self._workers), "--preload" if self._preload else "--no-preload"]
        argv += [] if port is None else ["--port", str(port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
        wait_until(lambda: "EWMS_SERVER=" in self.said[before:] or not self.runs, f"ewms dev to start: {self._log}")
        assert self.runs, f"ewms dev did not start: {self.said[before:]}\n{self.logs()}"
        self.url = self.said[before:].split("EWMS_SERVER=")[1].split()[0]

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    @property
    def said(self) -> str:
        return self._log.read_text()

    @property
    def environment(self) -> Mapping[str, str]:
        """For commands that are to reach it."""
        return {"EWMS_SERVER": self.url, "EWMS_TOKEN_FILE": str(self.folder / "secrets" / "operator.token")}

    def pid_of(self, part: str) -> int:
        """Of a part of the service, or of `nats-server`."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                argv = child.cmdline()
                if part in argv[3:4] or part == os.path.basename(argv[0] if argv else ""):
                    return int(child.pid)
        raise AssertionError(f"there is no {part} in the tree")

    def kill(self, part: str) -> None:
        """`kill -9` of a part, and wait until there is another."""
        old = self.pid_of(part)
        os.kill(old, signal.SIGKILL)

        def is_replaced() -> bool:
            with contextlib.suppress(AssertionError):
                return self.pid_of(part) != old
            return False

        wait_until(is_replaced, f"another {part}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """End it; the seconds that took. All that was below it has ended then, or the test fails."""
        below = psutil.Process(self.process.pid).children(recursive=True)
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(DEADLINE)
        _, alive = psutil.wait_procs(below, timeout=5.0)
        assert not alive, f"still there: {[process.cmdline() for process in alive if process.is_running()]}"
        return time.monotonic() - began

    def logs(self) -> str:
        """What the parts wrote, for a test that failed."""
        parts = sorted(self.folder.glob("logs/*.log"))
        return "\n".join(f"== {path.name}\n{path.read_text()[-3000:]}" for path in parts)


@contextlib.contextmanager
def dev_tree(folder: Path, *, workers: int = 2, preload: bool = False) -> Iterator[DevTree]:
    """A running one, which ends with the block whatever happens."""
    tree = DevTree(folder, workers=workers, preload=preload)
    tree.start()
    try:
        yield tree
    finally:
        if tree.runs:
            tree.stop()


def wait_until(condition: Callable[[], bool], what: str, deadline: float = DEADLINE) -> None:
    """Return as soon as it is so; fails the test after the deadline."""
    end = time.monotonic() + deadline
    while True:
        began = time.monotonic()
        if condition():
            return
        assert time.monotonic() < end, f"waited {deadline} s in vain for {what}"
        time.sleep(rest_after(time.monotonic() - began))

"""`ewms run` as a user runs it: embedded NATS with every write synced, SQLite journal with every commit synced, two pilots."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bench.child import BenchError, child
from bench.run_observer import RunObserver

WORKERS = 2
WARM_UP = 200
"""Events that are run first, so that no system is charged for its start."""
_END_SECONDS = 600.0


class EwmsRun:
    """One `ewms run` of a workload that is going on.

    Parameters
    ----------
    observer
        Sees what it has accepted.
    gate
        File that lets the workload's source go on.
    pid
        The driver's.
    """

    def __init__(self, observer: RunObserver, gate: Path, pid: int) -> None:
        self.observer = observer
        self.pid = pid
        self._gate = gate

    def open_gate(self) -> float:
        """Let the events come that are measured; the moment, on the monotonic clock."""
        opened = time.monotonic()
        self._gate.touch()
        return opened


@contextmanager
def ewms_run(
    workload: str, events: int, *, warm_up: int = WARM_UP, while_running: Callable[[EwmsRun], None] | None = None
) -> Iterator[EwmsRun]:
    """Start it; at the end of the block wait for its product and check that it has an outcome for every event.

    `while_running` is called again and again during that wait.
    """
    folder = Path(tempfile.mkdtemp(prefix="ewms-bench-"))
    out, gate = folder / "out", folder / "gate"
    settings = {"events": events, "warm_up": warm_up, "gate": str(gate)}
    argv = [str(Path(sys.executable).with_name("ewms")), "run", f"bench.workloads.{workload}"]
    argv += ["--out", str(out), "--workers", str(WORKERS)]
    for key, value in settings.items():
        argv += ["--set", f"{key}={json.dumps(value)}"]
    try:
        with (
            child(argv, log=folder / "stderr") as process,
            closing(RunObserver(out, process)) as observer,
        ):
            run = EwmsRun(observer, gate, process.pid)
            try:
                yield run
                process.wait(_END_SECONDS)
            except BenchError as error:
                raise BenchError(f"{error}: {(folder / 'stderr').read_text().strip()}") from error
            _check(out, events + warm_up)
    finally:
        shutil.rmtree(folder, ignore_errors=True)

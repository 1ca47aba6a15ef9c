"""`ewms run` as a user runs it: embedded NATS and SQLite journal, every write of both synced; two pilots."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bench.child import BenchError, child
from bench.run_observer import RunObserver

WORKERS = 2
WARM_UP = 200
"""Events that are run first, so that no system is charged for its start."""
_END_SECONDS = 3600.0


class EwmsRun:
    """One `ewms run` of a workload that is going on.

    Parameters
    ----------
    process
        The driver.
    observer
        Sees what it has accepted.
    gate
        File that lets the workload's source go on.
    """

    def __init__(self, process: subprocess.Popen[str], observer: RunObserver, gate: Path) -> None:
        self.process = process
        self.observer = observer
        self._gate = gate

    def open_gate(self) -> float:
        """Let the events come that are measured; the moment, on the monotonic clock."""
        opened = time.monotonic()
        self._gate.touch()
        return opened


@contextmanager
def ewms_run(workload: str, events: int, *, warm_up: int = WARM_UP) -> Iterator[EwmsRun]:
    """Start it; after the block wait for its end, and check that every event has exactly one outcome in the product.

    `workload` is `module:Class` below `bench.workloads`.
    """
    with tempfile.TemporaryDirectory(prefix="ewms-bench-") as name:
        folder = Path(name)
        out, gate, log = folder / "out", folder / "gate", folder / "stderr"
        program = Path(sys.executable).with_name("ewms")
        argv = [str(program), "run", f"bench.workloads.{workload}", "--out", str(out), "--workers", str(WORKERS)]
        for key, value in {"events": events, "warm_up": warm_up, "gate": str(gate)}.items():
            argv += ["--set", f"{key}={json.dumps(value)}"]
        with child(argv, log=log) as process, closing(RunObserver(out, process)) as observer:
            try:
                yield EwmsRun(process, observer, gate)
            except BenchError as error:
                raise BenchError(f"{workload}: {error}: {log.read_text().strip()}") from error
            process.wait(_END_SECONDS)
            _check(out, events + warm_up)


def _check(out: Path, events: int) -> None:
    summary = json.loads((out / "summary.json").read_text())
    with (out / "product" / "outcomes.jsonl").open("rb") as lines:
        outcomes = sum(1 for _ in lines)
    if summary["state"] != "complete" or summary["events"]["accepted"] != events or outcomes != events:
        raise BenchError(f"{outcomes} outcomes of {events} events, summary {summary}")

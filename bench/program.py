"""A system that is measured by a program of its own, which prints its seconds: every peer, and `ewms.map`."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from bench.child import BenchError, child
from bench.sample import Sample, per_second

PEERS_VARIABLE = "EWMS_BENCH_PEERS"
"""A Python interpreter that has the peers, where this one does not."""
_LONGEST_SECONDS = 600.0
_TAIL = 2000


def peers_interpreter() -> str:
    """The interpreter that runs the peers."""
    return os.environ.get(PEERS_VARIABLE) or sys.executable


def timed_by(interpreter: str, events: int, module: str, *arguments: str) -> Sample:
    """Tasks per second by a program's own clock: first submission to last result in hand."""
    scripts = str(Path(interpreter).parent)  # where Parsl looks for its helpers, as in an activated environment
    path = os.pathsep.join([scripts, os.environ["PATH"]])
    argv = [interpreter, "-m", module, str(events), *arguments]
    with tempfile.TemporaryDirectory(prefix="ewms-bench-") as folder:
        environment = {"PATH": path, "TMPDIR": folder}
        log = Path(folder, "stderr")
        with child(argv, environment, log=log) as process:
            printed, _ = process.communicate(timeout=_LONGEST_SECONDS)
        if process.returncode != 0 or not printed.strip():
            raise BenchError(f"{module} exited with {process.returncode}: {log.read_text()[-_TAIL:].strip()}")
    measured = json.loads(printed.splitlines()[-1])
    return per_second(events, measured["seconds"], measured["version"])

"""What `ewms` shows on a terminal, seen through a real one."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

EWMS = str(Path(sys.executable).with_name("ewms"))
CODE = """
import time
def work(n):
    time.sleep(0.02)
    if n == 7:
        raise ValueError("bad")
    return n
"""
SPEC = """
name = "shown"
[[tasks]]
name = "labour"
python = "work:work"
input = "numbers"
output = "results"
"""


def test_a_terminal_sees_counts_rate_and_failures(tmp_path: Path) -> None:
    tmp_path.joinpath("work.py").write_text(CODE)
    tmp_path.joinpath("workflow.toml").write_text(SPEC)
    tmp_path.joinpath("numbers.jsonl").write_text("".join(f"{number}\n" for number in range(100)))
    master, slave = pty.openpty()
    command = [EWMS, "run", "workflow.toml", "--input", "numbers.jsonl", "--out", "out", "--workers", "2"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=slave, stderr=slave, stdin=slave, env=os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    )
    os.close(slave)
    seen = read_all(master, process)
    assert process.wait(10) == 3
    for word in (
        "labour",
        "events/s",
        "1 dead letter",
        "complete: 99 events",
        "ewms why out",
        "ewms dead-letters replay out",
    ):
        assert word in seen


def read_all(master: int, process: subprocess.Popen[bytes]) -> str:
    seen = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        ready, _, _ = select.select([master], [], [], 0.1)
        if ready:
            try:
                seen += os.read(master, 65536)
            except OSError:  # the other end is closed: that is how a terminal ends
                break
        elif process.poll() is not None:
            break
    os.close(master)
    return seen.decode(errors="replace")

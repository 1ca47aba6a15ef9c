"""What tasks cost: in the summary by task, in `ewms why` by failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.running import Running

MIB = 1 << 20
PYTHON = f"""
import sys, time

def work(number):
    block = bytearray({300 * MIB} if number == 3 else {64 * MIB} if number == 1 else 0)
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    if number == 2:
        raise ValueError("two")
    return len(block)

if __name__ == "__main__":
    work(int(open(sys.argv[1]).read()))
"""
SPEC = """
name = "costly"

[[tasks]]
name = "work"
input = "numbers"
output = "results"
retry = {max_failures = 1}
resources = {memory = "200 MiB"}
"""


@pytest.fixture(params=["python", "command"])
def costly(request: pytest.FixtureRequest, tmp_path: Path) -> Running:
    running = Running(tmp_path)
    consumer = {
        "python": 'python = "work:work"',
        "command": 'command = ["python3", "work.py", "{{INFILE}}"]\ninfile_suffix = ".json"',
    }
    running.write(PYTHON, SPEC + consumer[request.param], [0, 1, 2, 3])
    running.start()
    running.finish(expected=3)
    return running


def test_a_summary_tells_what_each_task_cost(costly: Running) -> None:
    cost: dict[str, Any] = costly.summary()["tasks"]["work"]
    assert cost["exits"]["ok"] == 2
    assert cost["exits"]["memory"] == 1
    assert sum(cost["exits"].values()) == 4
    assert 0.3 <= cost["cpu_seconds"] < 3.0
    assert 0.2 <= cost["seconds"] < 10.0
    assert 200 * MIB <= cost["peak_memory"] < 400 * MIB


def test_why_tells_what_a_failure_cost(costly: Running) -> None:
    clusters = json.loads(costly.call("why", "out", "--json"))
    raised, killed = sorted(clusters, key=lambda cluster: "killed" in cluster["cause"])
    figures = raised["example"]["detail"]
    assert 0.1 <= figures["cpu_seconds"] < 1.0
    assert 5 * MIB < figures["peak_memory"] < 200 * MIB
    assert killed["example"]["reason"].endswith(" of 200 MiB")
    assert killed["example"]["detail"]["type"] == "memory"
    assert killed["example"]["detail"]["peak_memory"] >= 200 * MIB
    shown = costly.call("why", "out")
    assert " s of CPU, peak " in shown
    assert "killed at " in shown

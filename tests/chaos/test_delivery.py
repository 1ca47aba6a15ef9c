"""What delivery promises beyond kills: stragglers, corrections between runs, interruption, secrets, drivers that collide."""

from __future__ import annotations

import json
import signal

from tests.support.running import Running, wait_for

SPEC = """
name = "flow"

[[tasks]]
name = "work"
python = "work:work"
input = "numbers"
output = "results"
"""

LESS_THAN_GRACE = 9.0
GATED = """
import time
from pathlib import Path

def work(number):
    while number >= 20 and not Path(__file__).with_name("gate").exists():
        time.sleep(0.01)
    return number
"""


def test_a_straggler_gets_a_copy(running: Running) -> None:
    consumer = """
import os, time
from pathlib import Path

def work(number):
    if number == 29 and not os.path.exists(marker := str(Path(__file__).with_name("marker"))):
        Path(marker).touch()
        time.sleep(3600)
    return number
"""
    running.write(consumer, SPEC, list(range(30)))
    running.start()
    running.finish()
    events = running.summary()["events"]
    assert (events["accepted"], events["dead_lettered"], events["retried"]) == (30, 0, 0)
    assert events["speculative"] >= 1
    wait_for(lambda: not running.leftovers(), "the end of all processes")


def test_a_mistake_in_an_application_is_corrected_and_resumed(running: Running) -> None:
    application = """
import ewms

class Sum(ewms.Application):
    consumer = "work:double"

    def __init__(self, inputs=(), **parameters):
        super().__init__(inputs, **parameters)
        self.total = 0

    def start(self):
        for number in range(40):
            yield ewms.Event(id=str(number), body=number)

    def advance(self, outcome):
        if outcome.id == "20":
            raise RuntimeError("not yet")
        self.total += outcome.value
        return ()

    def assemble(self):
        return {"total.txt": f"{self.total}"}

def double(number):
    return 2 * number
"""
    spec = 'name = "sum"\napplication = "work:Sum"\n'
    running.write(application, spec, [])
    output = running.call("run", "workflow.toml", "--out", "out", "--workers", "2", expected=1)
    assert "Sum.advance raised RuntimeError: not yet" in output
    assert "ewms resume" in output
    assert running.summary()["state"] == "failed"
    assert "not yet" in running.call("why", "out")
    running.folder.joinpath("work.py").write_text(application.replace('outcome.id == "20"', "False"))
    running.call("resume", "out")
    assert (running.out / "product" / "total.txt").read_text() == str(sum(2 * number for number in range(40)))
    assert running.summary()["events"]["accepted"] == 40


def test_a_changed_graph_is_refused_and_a_changed_limit_is_taken(running: Running) -> None:
    running.write(GATED, SPEC, list(range(100)))
    running.start()
    running.wait_accepted(2)
    assert running.process is not None
    running.process.send_signal(signal.SIGINT)
    running.open_gate()
    running.finish(expected=130)
    toml = running.folder / "workflow.toml"
    toml.write_text(SPEC.replace('output = "results"', 'output = "others"'))
    assert "changed" in running.call("resume", "out", expected=2)
    toml.write_text(SPEC + "timeout = 30\n")
    running.call("resume", "out")
    assert running.summary()["events"]["accepted"] == 100


def test_a_second_driver_is_kept_out(running: Running) -> None:
    running.write(GATED, SPEC, list(range(60)))
    running.start()
    running.wait_accepted(1)
    assert "another driver" in running.call("resume", "out", expected=1)
    assert "running" in running.call("status", "out")
    running.open_gate()
    running.finish()
    assert running.summary()["events"]["accepted"] == 60


def test_json_progress_is_one_object_a_line(running: Running) -> None:
    running.write("def work(n):\n    return n\n", SPEC, list(range(50)))
    output = running.call("run", "workflow.toml", "--input", "input.jsonl", "--out", "out", "--json")
    lines = [json.loads(line) for line in output.splitlines()]
    assert lines[-1]["state"] == "complete"
    assert lines[-1]["events"]["accepted"] == 50
    assert all(line["events"]["accepted"] <= 50 for line in lines)


def test_the_brokers_token_stays_secret(running: Running) -> None:
    running.write(
        "import os, sys\n\ndef work(n):\n    print(dict(os.environ), sys.argv, file=sys.stderr)\n    raise ValueError(n)\n",
        SPEC + "retry = { max_failures = 1 }\n",
        [1, 2],
    )
    running.start()
    wait_for(lambda: list((running.out / ".ewms" / "pilots").glob("*.json")), "the pilots' configuration")
    config = json.loads(next(iter((running.out / ".ewms" / "pilots").glob("*.json"))).read_text())
    token = config["broker_url"].partition("//")[2].partition("@")[0]
    assert len(token) >= 16
    assert running.process is not None
    for process in running.processes(""):
        assert token not in " ".join(process.cmdline())
    output = running.finish(expected=3)
    assert token not in output
    private = {"nats.conf", "broker.url", "token"}
    for path in running.out.rglob("*"):
        if path.is_file() and token.encode() in path.read_bytes():
            assert path.stat().st_mode & 0o077 == 0, path
            assert path.name in private or path.suffix == ".json", path
    assert token not in running.call("why", "out")


def test_a_second_interrupt_does_not_wait_for_tasks(running: Running) -> None:
    running.write("import time\n\ndef work(n):\n    time.sleep(n)\n    return n\n", SPEC, [0, 3600, 3600])
    running.start()
    running.wait_accepted(1)
    assert running.process is not None
    wait_for(running.interrupt, "the end of an impatiently interrupted driver", deadline=LESS_THAN_GRACE)
    output = running.finish(expected=130)
    assert "ewms resume out" in output
    wait_for(lambda: not running.leftovers(), "the end of all processes", deadline=5.0)

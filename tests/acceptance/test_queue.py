"""`ewms queue`: what the broker holds for a workflow, whichever broker it is."""

from __future__ import annotations

import json

import pytest

from tests.support.rabbitmq import RabbitmqServer
from tests.support.running import Running, wait_for

CONSUMER = """
import time
from pathlib import Path

def work(number):
    while not Path(__file__).with_name("gate").exists():
        time.sleep(0.01)
    return number
"""
SPEC = """
name = "flow"

[[tasks]]
name = "work"
python = "work:work"
input = "numbers"
output = "results"
speculate = false
"""


@pytest.fixture(params=["embedded", "rabbitmq"])
def arguments(request: pytest.FixtureRequest) -> tuple[str, ...]:
    if request.param == "embedded":
        return ()
    server: RabbitmqServer = request.getfixturevalue("rabbitmq")
    return ("--broker", server.url())


def test_the_queues_of_a_running_workflow(tmp_path_factory: pytest.TempPathFactory, arguments: tuple[str, ...]) -> None:
    running = Running(tmp_path_factory.mktemp("workflow"))
    running.write(CONSUMER, SPEC, list(range(20)))
    running.start(*arguments)
    try:
        wait_for(running.pilots, "pilots")

        def look() -> dict[str, int]:
            work: dict[str, int] = json.loads(running.call("queue", "out", "--json"))[0]
            return work

        wait_for(lambda: look()["leased"] == 2, "two leased messages")
        found = look()
        assert (found["ready"], found["leased"], found["redelivered"], found["dead"]) == (18, 2, 0, 0)
        header, work, reports = running.call("queue", "out").splitlines()
        assert header.split() == ["ready", "leased", "redelivered", "consumers", "dead"]
        assert work.split()[1:3] == ["18", "2"]
        assert reports.split()[1:3] == ["0", "0"]
        if arguments:
            name = work.split()[0]
            assert running.call("queue", name, *arguments).splitlines()[1].split()[1:4] == ["18", "2", "0"]
            assert "does not exist" in running.call("queue", f"{name}s", *arguments, expected=1)
        running.open_gate()
        running.finish()
        gone = running.call("queue", "out", *arguments, expected=2)
        assert "is complete: its queues are gone" in gone
    finally:
        if running.process is not None and running.process.poll() is None:
            running.kill_all()


def test_wrong_input(running_folder: Running) -> None:
    assert "holds no workflow" in running_folder.call("queue", "nowhere", expected=1)
    assert "Missing argument" in running_folder.call("queue", expected=2)
    assert "no known scheme" in running_folder.call("queue", "q", "--broker", "amqq://me:SECRET@host", expected=2)


@pytest.fixture
def running_folder(tmp_path_factory: pytest.TempPathFactory) -> Running:
    return Running(tmp_path_factory.mktemp("workflow"))


def test_a_timeout_above_what_the_broker_allows_is_refused(running_folder: Running, rabbitmq: RabbitmqServer) -> None:
    running_folder.write("def work(n):\n    return n\n", SPEC + "timeout = 1800\n", [1])
    started = ("run", "workflow.toml", "--input", "input.jsonl", "--out", "out", "--broker")
    refused = running_folder.call(*started, rabbitmq.url(), expected=2)
    assert "task work has a timeout of 1800 s" in refused
    assert "lets a message be held for 1800 s only" in refused
    running_folder.call("resume", "out", "--broker", rabbitmq.url(query="?consumer_timeout=3600"))
    assert running_folder.summary()["events"]["accepted"] == 1

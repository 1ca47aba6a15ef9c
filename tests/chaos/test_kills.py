"""Pull any plug at any moment: the product is the same, nothing is lost, nothing is accepted twice."""

from __future__ import annotations

import json

import pytest

from tests.support.rabbitmq import RabbitmqServer
from tests.support.running import Running, wait_for

EVENTS = 300
CONSUMER = """
import time
from pathlib import Path

def double(number):
    time.sleep(0.005)
    while number >= 100 and not Path(__file__).with_name("gate").exists():
        time.sleep(0.01)
    return {"number": number, "double": 2 * number}

def add(pair):
    yield pair["number"] + pair["double"]
    yield -pair["number"]
"""
SPEC = """
name = "doubles"

[[tasks]]
name = "double"
python = "work:double"
input = "numbers"
output = "pairs"

[[tasks]]
name = "add"
python = "work:add"
input = "pairs"
output = "sums"
"""
EXPECTED = b"".join(
    json.dumps({"id": f"{number}/double/0", "output": [3 * number, -number]}, separators=(",", ":")).encode() + b"\n"
    for number in range(EVENTS)
)


@pytest.fixture(params=["embedded", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> str | None:
    """URL of a broker; None has the workflow start its own."""
    if request.param == "embedded":
        return None
    server: RabbitmqServer = request.getfixturevalue("rabbitmq")
    return server.url()


@pytest.fixture
def doubles(running: Running, broker: str | None) -> Running:
    """The workflow, under way, its pilots at work on events that cannot end before the gate is opened."""
    running.write(CONSUMER, SPEC, list(range(EVENTS)))
    running.start(*(() if broker is None else ("--broker", broker)))
    running.wait_accepted(100)
    return running


def check_complete(running: Running) -> dict[str, int]:
    summary = running.summary()
    events: dict[str, int] = summary["events"]
    assert summary["state"] == "complete"
    assert running.product() == EXPECTED
    assert (events["sent"], events["accepted"], events["dead_lettered"]) == (2 * EVENTS, 2 * EVENTS, 0)
    wait_for(lambda: not running.leftovers(), "the end of all processes")
    return events


def test_undisturbed(doubles: Running) -> None:
    doubles.open_gate()
    doubles.finish()
    events = check_complete(doubles)
    assert events["retried"] == events["vanished"] == 0


def test_one_pilot_killed_mid_task(doubles: Running) -> None:
    doubles.pilots()[0].kill()
    doubles.open_gate()
    doubles.finish()
    events = check_complete(doubles)
    # Near the end, a copy of what the dead pilot held may finish before its lease does.
    assert events["vanished"] + events["speculative"] > 0


def test_every_pilot_killed(doubles: Running) -> None:
    for pilot in doubles.pilots():
        pilot.kill()
    doubles.open_gate()
    doubles.finish()
    events = check_complete(doubles)
    assert events["vanished"] + events["speculative"] > 0


def test_driver_killed(doubles: Running) -> None:
    doubles.kill_driver()
    doubles.open_gate()
    wait_for(lambda: not doubles.leftovers(), "pilots and server to die with the driver")
    doubles.resume()
    doubles.finish()
    check_complete(doubles)


def test_broker_killed(doubles: Running, broker: str | None, request: pytest.FixtureRequest) -> None:
    if broker is None:  # the driver starts its own again
        for server in doubles.processes("nats-server"):
            server.kill()
    else:
        named: RabbitmqServer = request.getfixturevalue("rabbitmq")
        named.kill()
        named.start()
    doubles.open_gate()
    doubles.finish()
    check_complete(doubles)


def test_everything_killed_at_once(doubles: Running) -> None:
    doubles.kill_all()
    doubles.resume()
    wait_for(doubles.pilots, "new pilots")
    doubles.kill_all()
    doubles.open_gate()
    doubles.resume()
    doubles.finish()
    check_complete(doubles)


def test_interrupted_and_resumed(doubles: Running) -> None:
    assert doubles.process is not None
    doubles.process.terminate()
    doubles.open_gate()
    output = doubles.finish(expected=130)
    assert "ewms resume out" in output
    assert doubles.summary()["state"] == "interrupted"
    doubles.resume()
    doubles.finish()
    check_complete(doubles)

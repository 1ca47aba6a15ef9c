"""RabbitMQ killed again and again under load."""

from __future__ import annotations

import pytest

from tests.support.rabbitmq import RabbitmqServer
from tests.support.running import Running, wait_for

EVENTS = 10_000
KILLS = 20
CONSUMER = """
import time

def work(number):
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
bundle = 4
"""
BUSY = """
import time

def work(number):
    end = time.monotonic() + 125
    while time.monotonic() < end:
        pass
"""


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_twenty_kills_lose_nothing_and_accept_nothing_twice(running: Running, rabbitmq: RabbitmqServer) -> None:
    running.write(CONSUMER, SPEC, list(range(EVENTS)))
    running.start("--broker", rabbitmq.url())
    for kill in range(KILLS):
        running.wait_accepted((kill + 1) * EVENTS // (KILLS + 2))
        rabbitmq.kill()
        rabbitmq.start()
    running.finish(deadline=600.0)
    events = running.summary()["events"]
    assert (events["accepted"], events["dead_lettered"]) == (EVENTS, 0)
    assert [int(line.split(b'"')[3]) for line in running.product().splitlines()] == list(range(EVENTS))
    wait_for(lambda: not running.leftovers(), "the end of all processes")


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_a_task_of_two_minutes_keeps_its_connection(running: Running, rabbitmq: RabbitmqServer) -> None:
    running.write(BUSY, SPEC + "speculate = false\n", [1, 2])
    running.start("--broker", rabbitmq.url())
    running.finish(deadline=300.0)
    events = running.summary()["events"]
    assert (events["accepted"], events["vanished"], events["returned"], events["duplicates_dropped"]) == (2, 0, 0, 0)

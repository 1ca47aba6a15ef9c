"""Events that raise, end the interpreter or hang: each is one dead letter with its history, the rest completes."""

from __future__ import annotations

import json

from tests.support.running import Running

EVENTS = 60
POISON = """
import os, time

FIXED = False

def work(number):
    if not FIXED:
        if number % 20 == 3:
            raise ValueError(f"number {number} is bad")
        if number % 20 == 7:
            os._exit(3)
        if number % 20 == 11:
            time.sleep(3600)
    return number + 1
"""
SPEC = """
name = "poison"

[[tasks]]
name = "work"
python = "work:work"
input = "numbers"
output = "results"
timeout = 0.5
retry = { max_failures = 2 }
"""
BAD = {number for number in range(EVENTS) if number % 20 in {3, 7, 11}}


def test_poison_is_isolated_and_replayed(running: Running) -> None:
    running.write(POISON, SPEC, list(range(EVENTS)))
    running.start()
    output = running.finish(expected=3)
    assert f"{len(BAD)} dead letters" in output
    assert "ewms why out" in output

    events = running.summary()["events"]
    assert events["accepted"] == EVENTS - len(BAD)
    assert events["dead_lettered"] == len(BAD)
    assert events["retried"] == len(BAD)
    letters = [json.loads(line) for line in (running.out / "dead_letters.jsonl").read_text().splitlines()]
    assert {int(letter["id"]) for letter in letters} == BAD
    reasons = {int(letter["id"]): letter["reason"] for letter in letters}
    for number, reason in reasons.items():
        expected = {3: f"ValueError: number {number} is bad", 7: "code 3", 11: "timed out"}[number % 20]
        assert expected in reason
    for letter in letters:
        assert [attempt["kind"] for attempt in letter["history"]] == ["failed", "failed"]
        assert letter["body"] == int(letter["id"])

    clusters = json.loads(running.call("why", "out", "--json"))
    assert sorted(cluster["dead"] for cluster in clusters) == [3, 3, 3]
    raised = next(cluster for cluster in clusters if "ValueError" in cluster["cause"])
    assert raised["cause"] == "ValueError: number # is bad"
    assert "work.py" in raised["example"]["detail"]["traceback"]
    assert "ValueError: number" in running.call("why", "out")
    assert len(running.call("dead-letters", "list", "out").splitlines()) == len(BAD)
    assert "attempt 2 failed" in running.call("dead-letters", "show", "out", "3")
    running.call("dead-letters", "show", "out", "4", expected=2)

    running.folder.joinpath("work.py").write_text(POISON.replace("FIXED = False", "FIXED = True"))
    one = running.call("dead-letters", "replay", "out", "3", expected=3)
    assert "trying 1 dead letter again" in one
    running.call("dead-letters", "replay", "out")
    assert running.summary()["events"]["dead_lettered"] == 0
    assert (running.out / "dead_letters.jsonl").read_text() == ""
    lines = [json.loads(line) for line in running.product().splitlines()]
    assert lines == [{"id": str(number), "output": number + 1} for number in range(EVENTS)]
    assert "no dead letters" in running.call("dead-letters", "replay", "out")


def test_a_task_that_kills_its_pilot_is_buried_alone(running: Running) -> None:
    consumer = """
import os, signal

def work(number):
    if number == 5:
        pilot = os.getppid()
        os.kill(pilot, signal.SIGKILL)
    return number
"""
    spec = SPEC.replace("timeout = 0.5\n", "speculate = false\n").replace("max_failures = 2", "max_vanishes = 2")
    running.write(consumer, spec, list(range(10)))
    running.start()
    running.finish(expected=3)
    events = running.summary()["events"]
    assert (events["accepted"], events["dead_lettered"]) == (9, 1)
    letter = json.loads((running.out / "dead_letters.jsonl").read_text())
    assert letter["id"] == "5"
    assert {attempt["kind"] for attempt in letter["history"]} == {"vanished"}

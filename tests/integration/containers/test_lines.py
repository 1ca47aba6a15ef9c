"""Containers whose program stays up and answers lines of JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ewms.core.spec import TaskSpec
from tests.support.containers import Engine

if TYPE_CHECKING:
    from tests.integration.pilot.conftest import Rig

Make = Callable[..., TaskSpec]
LINES: dict[str, Any] = {"warm": "lines"}
SERVE = """
import json, os, sys, time
for number, line in enumerate(sys.stdin):
    event = json.loads(line)
    body = event["body"]
    print("working on", body, file=sys.stderr)
    if body == "slow": time.sleep(600)
    if body == "die": sys.exit("cannot go on")
    if body == "chat": print("hello")
    elif body == "bad": print(json.dumps({"error": "no luck"}))
    elif body == "nothing": print("{}")
    else: print(json.dumps({"output": [event["id"], number, body]}))
    sys.stdout.flush()
"""


async def test_answers_are_outputs(rig: Rig, engine: Engine, container_task: Make) -> None:
    task = container_task(engine, SERVE, container=LINES)
    bodies = ["a", {"ä": [1, None]}, "nothing", "x" * 300_000]
    outputs = [["e0", 0, "a"], ["e1", 1, {"ä": [1, None]}], None, ["e3", 3, "x" * 300_000]]
    assert await rig.run(task, *bodies) == outputs


async def test_failures_and_the_end_of_the_program(rig: Rig, engine: Engine, container_task: Make) -> None:
    task = container_task(engine, SERVE, timeout=2.0, container=LINES)
    bad, dead, chat, slow, good = await rig.run(task, "bad", "die", "chat", "slow", "good")
    assert (bad.reason, bad.detail["stderr"]) == ("no luck", "working on bad\n")
    assert dead.reason == "exit code 1: cannot go on"
    assert chat.reason.startswith("the container answered b'hello\\n', which is no JSON")
    assert slow.reason == "timed out after 2 s"
    assert good == ["e4", 0, "good"]


async def test_a_program_that_ends_in_peace_has_not_answered(rig: Rig, podman: Engine, container_task: Make) -> None:
    (failure,) = await rig.run(container_task(podman, "input()", container=LINES), "text")
    assert failure.reason == "exit code 0: <no stderr logs>"


async def test_bytes_are_no_lines(rig: Rig, podman: Engine, container_task: Make) -> None:
    (failure,) = await rig.run(container_task(podman, SERVE, container=LINES), b"\xff")
    assert failure.reason.startswith("a body of type bytes cannot be sent as a line of JSON")

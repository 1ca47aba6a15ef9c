"""A pilot between queues that know nothing of ewms. What it runs is a command where the container is beside the point."""

from __future__ import annotations

import asyncio
import json
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ewms.brokers.base import Broker
from ewms.brokers.memory import MemoryBroker
from ewms.core.spec import TaskSpec
from ewms.pilot.environment import Settings, read_settings
from ewms.pilot.plain import DEAD_LETTERS
from ewms.pilot.standalone import Standalone
from tests.support.containers import Engine

PATIENCE = 20.0
SCRIPT = """read -r text <"$1"
case $text in
    bad) echo "ValueError: no luck" >&2; exit 3;;
    slow) sleep 60;;
    once) [ -e "$3" ] || { : >"$3"; exit 1; };;
esac
echo "$text$text" >"$2"
"""


class Between:
    """Queues of a memory broker, and a pilot between them."""

    def __init__(self, broker: Broker, url: str, folder: Path) -> None:
        self._broker = broker
        self._url = url
        self._folder = folder
        self.stop = asyncio.Event()

    def settings(self, **changes: Any) -> Settings:
        """Those of a pilot that ends after half an idle second."""
        environment = {
            "EWMS_PILOT_TASK_IMAGE": "replaced",
            "EWMS_PILOT_QUEUE_INCOMING": "in1;in2",
            "EWMS_PILOT_QUEUE_INCOMING_BROKER_ADDRESS": self._url,
            "EWMS_PILOT_QUEUE_OUTGOING": "out1;out2",
            "EWMS_PILOT_QUEUE_OUTGOING_BROKER_ADDRESS": self._url,
            "EWMS_PILOT_DATA_DIR_PARENT_PATH_ON_HOST": str(self._folder),
        }
        command = ["sh", "-c", SCRIPT, "sh", "{{INFILE}}", "{{OUTFILE}}", str(self._folder / "seen")]
        task = {"name": "task", "input": "incoming", "output": "outgoing", "command": command, "timeout": 1.0}
        changes = {"task": TaskSpec.model_validate(task), "idle_patience": 0.5, "first_message_patience": 5.0} | changes
        return msgspec.structs.replace(read_settings(environment), **changes)

    async def put(self, queue: str, *bodies: str) -> None:
        """Publish plain messages."""
        for number, body in enumerate(bodies):
            await self._broker.publish(queue, body.encode(), f"{queue}-{number}")

    async def run(self, settings: Settings) -> int:
        """A pilot's whole life; its exit code."""
        async with asyncio.timeout(PATIENCE):
            return await Standalone(settings, self.stop, grace=0.5).run()

    async def take(self, queue: str) -> list[str]:
        """All that is in a queue."""
        async with await self._broker.consumer(queue) as consumer:
            return [delivery.body.decode() for delivery in await consumer.lease(100, 0.01)]

    async def left(self, queue: str) -> int:
        """How many messages a queue holds."""
        depth = await self._broker.depth(queue)
        return depth.ready + depth.leased


@pytest.fixture
async def between(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Between]:
    url = f"memory://{request.node.name}".replace("[", "-").replace("]", "")
    async with MemoryBroker(url) as broker:
        for queue in ("in1", "in2", "out1", "out2"):
            await broker.declare(queue, 30.0)
        yield Between(broker, url, tmp_path)


async def test_every_output_goes_to_every_queue(between: Between) -> None:
    await between.put("in1", "a", "b")
    await between.put("in2", "c")
    assert await between.run(between.settings(slots=2)) == 0
    for queue in ("out1", "out2"):
        assert sorted(await between.take(queue)) == ["aa\n", "bb\n", "cc\n"]
    assert [await between.left(queue) for queue in ("in1", "in2")] == [0, 0]


async def test_ewms_4_5_a_poison_event_is_given_up_and_takes_nobody_with_it(between: Between) -> None:
    await between.put("in1", "bad", "a", "once")
    assert await between.run(between.settings()) == 0
    assert sorted(await between.take("out1")) == ["aa\n", "onceonce\n"]
    (letter,) = map(json.loads, await between.take(f"in1{DEAD_LETTERS}"))
    assert (letter["id"], letter["body"], letter["attempts"]) == ("in1-0", "bad", 3)
    assert letter["reason"] == "exit code 3: ValueError: no luck"
    assert await between.left("in1") == 0


@pytest.mark.parametrize(("okay", "code"), [(frozenset(), 1), (frozenset({"ValueError"}), 0)])
async def test_stop_on_error(between: Between, okay: frozenset[str], code: int) -> None:
    await between.put("in1", "bad")
    assert await between.run(between.settings(stop_on_error=True, okay_errors=okay)) == code


async def test_quarantine_keeps_the_slot_until_it_is_told_to_go(between: Between) -> None:
    await between.put("in1", "bad")
    pilot = asyncio.create_task(between.run(between.settings(stop_on_error=True, quarantine=60.0)))
    await _until(lambda: between.left("in1"), 0)
    await asyncio.sleep(0.5)
    assert not pilot.done()
    between.stop.set()
    assert await pilot == 1


async def test_ewms_4_5_told_to_stop_it_gives_back_what_it_holds(between: Between) -> None:
    task = between.settings().task.model_copy(update={"timeout": None})
    await between.put("in1", "slow")
    pilot = asyncio.create_task(between.run(between.settings(task=task, idle_patience=None)))
    await asyncio.sleep(1.0)
    started = time.monotonic()
    between.stop.set()
    assert await pilot == 0
    assert time.monotonic() - started < PATIENCE
    assert await between.left("in1") == 1
    assert await between.take("out1") == []


async def test_waits_for_the_first_message(between: Between) -> None:
    started = time.monotonic()
    assert await between.run(between.settings(first_message_patience=1.0, idle_patience=0.1)) == 0
    assert 0.9 < time.monotonic() - started < 5.0


async def test_statuses_and_counts_are_chirped(between: Between, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _chirp_program(tmp_path, 'echo "$*" >>"$0.log"')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("_CONDOR_CHIRP_CONFIG", "/nowhere")
    await between.put("in1", "a", "bad")
    assert await between.run(between.settings(chirps=True, stop_on_error=True)) == 1
    said = (tmp_path / "condor_chirp.log").read_text().splitlines()
    assert all(line.startswith("set_job_attr_delayed HTChirpEWMSPilot") for line in said)
    last = dict(line.removeprefix("set_job_attr_delayed HTChirpEWMSPilot").split(" ", 1) for line in said)
    assert (last["Status"], last["TasksTotal"], last["TasksFailed"], last["TasksSuccess"]) == ('"FatalError"', "2", "1", "1")
    assert last["Error"] == '"event in1-1: exit code 3: ValueError: no luck"'
    assert len([line for line in said if "TasksTotal" in line]) <= 2, "counts come at intervals"


async def test_a_chirp_that_fails_harms_nothing(
    between: Between, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _chirp_program(tmp_path, "echo no proxy >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("_CONDOR_CHIRP_CONFIG", "/nowhere")
    await between.put("in1", "a")
    assert await between.run(between.settings(chirps=True)) == 0
    assert await between.take("out1") == ["aa\n"]
    assert "no proxy" in caplog.text


async def test_an_image_between_plain_queues(between: Between, podman: Engine) -> None:
    code = "import sys; open(sys.argv[2], 'w').write(open(sys.argv[1]).read() * 2)"
    container = {
        "image": podman.image,
        "tool": "podman",
        "arguments": ["/usr/bin/python3", "-c", code, "{{INFILE}}", "{{OUTFILE}}"],
    }
    document = {"name": "task", "input": "incoming", "output": "outgoing", "container": container}
    await between.put("in1", "a", "b")
    assert await between.run(between.settings(task=TaskSpec.model_validate(document), idle_patience=1.0)) == 0
    assert sorted(await between.take("out1")) == ["aa", "bb"]


def _chirp_program(folder: Path, script: str) -> None:
    path = folder / "condor_chirp"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


async def _until(look: Callable[[], Awaitable[int]], value: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while await look() != value:  # noqa: ASYNC110  a broker tells nobody of its depth
            await asyncio.sleep(0.02)

"""Pilots that are forked from a process which has loaded what they run: like others, but sooner."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from ewms.brokers.urls import broker_for
from ewms.core import wire
from ewms.core.config import PilotConfig
from ewms.core.service.taskforce import PilotSpec
from ewms.core.spec import TaskSpec
from ewms.tms.backends.local import LocalBackend, LocalSettings, mark_of
from ewms.tms.folder import ClusterFolder
from ewms.tms.launchers.reap import MARK, marked
from tests.support.taskforces import known_of, order, pilots

SECONDS = 60.0
MODULE = """
import os, random, sys
import ewms

LOADED = os.getpid()
PREPARED = []

class Consumer:
    @staticmethod
    def prepare():
        PREPARED.append(os.getpid())

    def consume(self, body):
        print("said in the task")
        return {"loaded": LOADED, "prepared": PREPARED, "pid": os.getpid(), "pilot": os.getppid(),
                "random": random.random(), "worker": os.environ.get("EWMS_WORKER"), "mark": os.environ["EWMS_LAUNCH"],
                "hub": os.environ["EWMS_TASK_DATA_HUB_DIR"]}

class Fake(ewms.Application):
    consumer = "fakeapp:Consumer"
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An application that is installed for the pilots of this test."""
    site = tmp_path / "site"
    info = site / "fakeapp-1.dist-info"
    info.mkdir(parents=True)
    site.joinpath("fakeapp.py").write_text(MODULE)
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: fakeapp\nVersion: 1\n")
    info.joinpath("entry_points.txt").write_text("[ewms.applications]\nfake = fakeapp:Fake\nnone = no_such_module:App\n")
    monkeypatch.setenv("PYTHONPATH", str(site))


@pytest.fixture
def python(pilot: PilotConfig) -> PilotConfig:
    """What pilots of the application are told."""
    return pilot.model_copy(update={"tasks": (TaskSpec(name="t", python="fakeapp:Consumer", input="q"),)})


@asynccontextmanager
async def backend(folder: ClusterFolder, *preload: str) -> AsyncIterator[LocalBackend]:
    async with LocalBackend(LocalSettings(max_workers=4, preload=preload), folder, "") as backend:
        yield backend


async def until(condition: Any, what: str) -> None:
    try:
        async with asyncio.timeout(SECONDS):
            while not condition():  # noqa: ASYNC110  processes are not events
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"waited in vain for {what}")


async def ready(caplog: pytest.LogCaptureFixture) -> None:
    await until(lambda: "nursery_ready" in caplog.messages, "the nursery")


def nurseries(folder: ClusterFolder) -> list[int]:
    return [pid for pid, rest in marked(mark_of(folder)) if rest.startswith("/nursery/")]


async def answers(config: PilotConfig, count: int) -> list[dict[str, Any]]:
    """What so many events come to."""
    found: list[dict[str, Any]] = []
    async with broker_for(config.broker_url) as broker, await broker.consumer(config.report_queue) as reports:
        for number in range(count):
            event = wire.WorkEvent(str(number), "json", b"null")
            message = wire.WorkMessage(wire.PROTOCOL, secrets.token_hex(8), "t", False, [event])
            await broker.publish(config.work_queue, wire.encode(message), message.message_id)
        async with asyncio.timeout(SECONDS):
            while len(found) < count:
                for delivery in await reports.lease(8, 1.0):
                    for report in wire.decode_reports(delivery.body):
                        assert not report.failures, report.failures
                        outputs = [
                            msgspec.msgpack.decode(each.outputs, type=list[wire.WireOutput]) for each in report.results
                        ]
                        found += [msgspec.json.decode(one.data) for each in outputs for one in each]
                    await delivery.ack()
    return found


async def test_what_the_application_runs_is_loaded_before_the_pilot_is(
    folder: ClusterFolder, python: PilotConfig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with backend(folder, "fake") as local:
        await ready(caplog)
        (nursery,) = nurseries(folder)
        await local.submit(order("TF-1", 2), python, {})
        await until(lambda: len(pilots(folder, "TF-1")) == 2, "pilots")
        found = await answers(python, 8)
        assert {answer["loaded"] for answer in found} == {nursery}
        assert all(answer["prepared"] == [nursery] for answer in found)
        assert {answer["pilot"] for answer in found} <= pilots(folder, "TF-1")
        assert all(answer["worker"] == "1" and answer["hub"] for answer in found)
        assert all(answer["mark"].startswith(f"{mark_of(folder)}/TF-1/") for answer in found)
        assert len({answer["random"] for answer in found}) == 8
        (batch,) = await local.survey()
        await local.remove(batch, "test")
        assert not list(marked(f"{mark_of(folder)}/TF-1"))
        assert nurseries(folder) == [nursery]
    await until(lambda: not list(marked(mark_of(folder))), "the end of the nursery")


async def test_a_forked_pilot_looks_like_any_other(
    folder: ClusterFolder, python: PilotConfig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with backend(folder, "fake") as local:
        await ready(caplog)
        await local.submit(order("TF-1", 1), python, {})
        await until(lambda: pilots(folder), "a pilot")
        (pid,) = pilots(folder)
        known = known_of(pid)
        assert f"{MARK}={mark_of(folder)}/TF-1/1".encode() in known.split(b"\0")
        assert b"nursery" not in known
        assert psutil.Process(pid).cmdline()[1:3] == ["-m", "ewms.pilot"]
        assert os.getsid(pid) == pid
        os.kill(pid, signal.SIGKILL)
        await until(lambda: pilots(folder) and pid not in pilots(folder), "another one")
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        (batch,) = await local.survey()
        await local.remove(batch, "test")


async def test_forked_pilots_outlive_their_tms_and_are_adopted(
    folder: ClusterFolder, python: PilotConfig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with backend(folder, "fake") as local:
        await ready(caplog)
        await local.submit(order("TF-1", 2), python, {})
        await until(lambda: len(pilots(folder)) == 2, "pilots")
        await answers(python, 2)
    before = pilots(folder)
    assert len(before) == 2
    await until(lambda: not nurseries(folder), "the end of the nursery")
    async with backend(folder) as local:
        assert pilots(folder) == before
        (batch,) = await local.survey()
        await local.remove(batch, "test")
    assert not pilots(folder)


async def test_without_a_nursery_pilots_start_as_ever(
    folder: ClusterFolder, python: PilotConfig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with backend(folder, "fake") as local:
        await ready(caplog)
        (nursery,) = nurseries(folder)
        os.kill(nursery, signal.SIGKILL)
        await local.submit(order("TF-1", 1), python, {})
        await until(lambda: pilots(folder), "a pilot")
        (answer,) = await answers(python, 1)
        assert answer["loaded"] == answer["pid"]
        assert "nursery_lost" in caplog.messages
        (batch,) = await local.survey()
        await local.remove(batch, "test")


async def test_code_and_variables_of_a_workflow_are_for_pilots_of_their_own(
    folder: ClusterFolder, python: PilotConfig, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO)
    async with backend(folder, "fake") as local:
        await ready(caplog)
        own = python.model_copy(update={"search_path": (str(tmp_path / "site"),)})
        await local.submit(order("TF-1", 1), own, {})
        (answer,) = await answers(python, 1)
        assert answer["loaded"] == answer["pid"]
        for batch in await local.survey():
            await local.remove(batch, "test")
        await local.submit(order("TF-2", 1, pilot=PilotSpec(environment={"THREADS": "1"})), python, {})
        (answer,) = await answers(python, 1)
        assert answer["loaded"] == answer["pid"]
        for batch in await local.survey():
            await local.remove(batch, "test")


async def test_what_cannot_be_loaded_is_told_and_stops_nothing(
    folder: ClusterFolder, python: PilotConfig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with backend(folder, "none", "unheard-of", "fake") as local:
        await ready(caplog)
        assert "no_such_module" in (folder.path / "nursery.log").read_text()
        await local.submit(order("TF-1", 1), python, {})
        (answer,) = await answers(python, 1)
        assert answer["prepared"] == nurseries(folder)
        (batch,) = await local.survey()
        await local.remove(batch, "test")

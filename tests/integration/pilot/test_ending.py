"""The ways in which a pilot ends, and what becomes of what it holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ewms.brokers.base import Depth
from ewms.core.spec import TaskSpec
from ewms.core.wire import Failure, Kind, Result
from ewms.pilot import pilot as pilot_module

if TYPE_CHECKING:
    from tests.integration.pilot.conftest import Rig

Make = Callable[..., TaskSpec]


async def _is_working(rig: Rig) -> None:
    await rig.until(lambda: bool(rig.heartbeats and rig.heartbeats[-1].holds))


async def test_idle_pilot_stops_at_once(rig: Rig, python_task: Make) -> None:
    pilot = rig.start(python_task("plain:echo"))
    await rig.until(lambda: bool(rig.heartbeats))
    rig.stop.set()
    started = time.monotonic()
    assert await pilot == 0
    assert time.monotonic() - started < 10
    assert rig.states == ["running", "draining", "ended"]


async def test_finishes_within_the_grace(rig: Rig, python_task: Make) -> None:
    ids = await rig.send(1.0, 0.0, singly=True)
    pilot = rig.start(python_task("plain:sleeps"), grace=10.0)
    await _is_working(rig)
    rig.stop.set()
    assert await rig.values(ids[:1]) == [1.0]
    assert await pilot == 0
    assert await rig.broker.depth("work") == Depth(ready=1, leased=0)


async def test_returns_what_it_cannot_finish(rig: Rig, python_task: Make) -> None:
    ids = await rig.send(0.05, 60.0, 0.0)
    pilot = rig.start(python_task("plain:sleeps"), grace=0.3)
    done = await rig.outcomes(1)
    rig.stop.set()
    returned = await rig.outcomes(2)
    assert await pilot == 0
    assert isinstance(done[ids[0]], Result)
    for event_id in ids[1:]:
        outcome = returned[event_id]
        assert isinstance(outcome, Failure)
        assert (outcome.kind, outcome.reason) == (Kind.RETURNED, "the pilot drained: it was told to stop")
    assert await rig.broker.depth("work") == Depth(0, 0)


@pytest.mark.parametrize("way", ["stop", "cancel"])
async def test_processes_of_the_task_are_gone(rig: Rig, python_task: Make, tmp_path: Path, way: str) -> None:
    pid_file = tmp_path / "pids"
    await rig.send(str(pid_file))
    pilot = rig.start(python_task("violent:family"), grace=0.1)
    await rig.until(pid_file.exists)
    if way == "stop":
        rig.stop.set()
    else:
        await rig.command("cancel")
    assert await pilot == 0
    pids = [int(pid) for pid in pid_file.read_text().split()]
    await rig.until(lambda: not any(rig.is_running(pid) for pid in pids))


async def test_drains_before_its_wall_time(rig: Rig, python_task: Make) -> None:
    await rig.send(60.0)
    started = time.monotonic()
    assert await rig.start(python_task("plain:sleeps"), wall_time=3.0, grace=0.2) == 0
    assert time.monotonic() - started < 3.0
    (outcome,) = (await rig.outcomes(1)).values()
    assert getattr(outcome, "reason", "") == "the pilot drained: its wall time is nearly over"


async def test_cancel_reports_nothing(rig: Rig, python_task: Make) -> None:
    await rig.send(60.0)
    pilot = rig.start(python_task("plain:sleeps"), grace=60.0)
    await _is_working(rig)
    started = time.monotonic()
    await rig.command("cancel")
    assert await pilot == 0
    assert time.monotonic() - started < 20
    assert ("publish", "reports") not in rig.broker.log
    assert (await rig.broker.depth("work")).leased == 1
    assert rig.heartbeats[-1].reason == "the workflow was cancelled"


async def test_end_lets_it_finish_however_long_it_takes(rig: Rig, python_task: Make) -> None:
    ids = await rig.send(1.0)
    pilot = rig.start(python_task("plain:sleeps"), grace=0.05)
    await _is_working(rig)
    await rig.command("end")
    assert await rig.values(ids) == [1.0]
    assert await pilot == 0
    assert rig.states == ["running", "draining", "ended"]


async def test_cancel_cuts_a_drain_short(rig: Rig, python_task: Make) -> None:
    await rig.send(60.0)
    pilot = rig.start(python_task("plain:sleeps"), grace=60.0)
    await _is_working(rig)
    rig.stop.set()
    await rig.until(lambda: "draining" in rig.states)
    await rig.command("cancel")
    assert await pilot == 0


async def test_quarantine_takes_nothing_for_a_while(rig: Rig, python_task: Make) -> None:
    rig.start(python_task("plain:echo"))
    await rig.until(lambda: bool(rig.heartbeats))
    await rig.command("quarantine", pilot="PL-somebody-else", seconds=60.0)
    await rig.command("quarantine", pilot=rig.heartbeats[-1].pilot, seconds=0.8)
    await rig.until(lambda: rig.states[-1] == "quarantined")
    ids = await rig.send(1)
    await asyncio.sleep(0.3)
    assert await rig.broker.depth("work") == Depth(ready=1, leased=0)
    assert await rig.values(ids) == [1]
    assert rig.states == ["running", "quarantined", "running"]


async def test_broker_that_stays_away_ends_it(rig: Rig, python_task: Make) -> None:
    pilot = rig.start(python_task("plain:echo"))
    await rig.until(lambda: bool(rig.heartbeats))
    rig.broker.gone.set()
    assert await pilot == 5


async def test_last_reports_are_not_waited_for_without_end(
    rig: Rig, python_task: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pilot_module, "SETTLE_SECONDS", 0.2)
    rig.broker.gate.clear()
    await rig.send(1)
    pilot = rig.start(python_task("plain:echo"))
    await rig.until(lambda: bool(rig.heartbeats and rig.heartbeats[-1].done))
    rig.stop.set()
    assert await pilot == 5
    assert rig.heartbeats[-1].reason == "the last reports were not confirmed"
    assert ("ack", "work") not in rig.broker.log

"""The local launcher: how slots are split, dead pilots replaced, crash loops ended, leftovers found."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ewms.core.config import PilotConfig
from ewms.core.spec import TaskSpec
from ewms.tms.launchers.local import LocalLauncher, split_slots
from ewms.tms.launchers.reap import MARK, kill_marked


def config(workflow_id: str) -> PilotConfig:
    return PilotConfig(
        workflow_id=workflow_id,
        broker_url="carrier-pigeon://roof",
        work_queue="w",
        report_queue="r",
        heartbeat_topic="h",
        command_topic="c",
        tasks=(TaskSpec(name="t", command=("true",), input="q"),),
    )


@pytest.mark.parametrize(
    ("workers", "slots"), [(1, [1]), (2, [1, 1]), (3, [2, 1]), (8, [4, 4]), (17, [6, 6, 5]), (64, [8] * 8)]
)
def test_slots_are_spread_evenly_over_at_least_two_pilots(workers: int, slots: list[int]) -> None:
    assert split_slots(workers) == slots


async def test_pilots_that_only_die_end_the_launcher_with_their_last_words(tmp_path: Path) -> None:
    launcher = LocalLauncher(tmp_path / "pilots")
    await launcher.start(config("WF-00000000-dead0001"), 2)
    try:
        reason = await asyncio.wait_for(launcher.wait_broken(), 90)
    finally:
        await launcher.stop(1.0)
    assert "died" in reason
    assert "carrier-pigeon" in reason
    for path in (tmp_path / "pilots").glob("*.json"):
        assert path.stat().st_mode & 0o077 == 0


def test_leftovers_are_known_by_their_mark() -> None:
    mine = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=os.environ | {MARK: "WF-mark/0"})
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=os.environ | {MARK: "WF-mark2/0"})
    with mine, other:
        try:
            assert kill_marked("WF-mark") == 1
            assert mine.wait(10) == -9
            assert other.poll() is None
        finally:
            other.kill()

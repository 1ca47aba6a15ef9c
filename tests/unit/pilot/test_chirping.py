"""What a pilot under HTCondor tells of itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ewms.core.wire import Heartbeat
from ewms.pilot.chirping import Chirping


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the words for HTCondor go."""
    (tmp_path / "condor_chirp").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/told\n')
    (tmp_path / "condor_chirp").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("_CONDOR_CHIRP_CONFIG", "there")
    return tmp_path / "told"


def words(told: Path, name: str) -> list[str]:
    begin = f"ulog HTChirpEWMSPilot{name}: "
    return [line.removeprefix(begin) for line in told.read_text().splitlines() if line.startswith(begin)]


async def test_a_good_life(told: Path) -> None:
    chirping = Chirping()
    chirping.start()
    for done in (0, 3):
        chirping.hear(Heartbeat(pilot="PL", host="h", holds=["m"], done=done))
    chirping.hear(Heartbeat(pilot="PL", host="h", state="ended", reason="no more work will come", done=3))
    await chirping.close(0)
    assert words(told, "Status")[-1] == "Done"
    assert words(told, "TasksTotal")[-1] == "3"
    assert words(told, "Error") == []


async def test_a_bad_end_with_its_reason(told: Path) -> None:
    chirping = Chirping()
    chirping.hear(Heartbeat(pilot="PL", host="h", state="ended", reason="no module 'x'"))
    await chirping.close(4)
    assert words(told, "Status") == ["FatalError"]
    assert words(told, "Error") == ["no module 'x'"]


def test_silence_outside_of_a_job(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("_CONDOR_CHIRP_CONFIG")

    async def live() -> None:
        chirping = Chirping()
        chirping.start()
        await chirping.close(0)

    asyncio.run(live())
    assert not told.exists()

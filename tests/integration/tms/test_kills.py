"""SIGKILL for a TMS between any two steps: the next one finds one batch or none, and goes on as if nothing had been."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ewms.core.service.phases import Phase
from ewms.tms.folder import ClusterFolder
from tests.support.scripted_service import TOKEN, ScriptedService
from tests.support.taskforces import pilots, taskforce
from tests.support.tms_processes import TmsProcesses

ONE = "TF-1"


@pytest.fixture
async def processes(tmp_path: Path, service: ScriptedService) -> AsyncIterator[TmsProcesses]:
    processes = TmsProcesses(tmp_path, service.url, 'backend = "local"\nmax_workers = 2\n')
    yield processes
    await processes.end()


@pytest.mark.parametrize("step", ["after:pilot", "before:confirm_submit", "after:confirm_submit"])
async def test_killed_while_it_submits(
    processes: TmsProcesses, service: ScriptedService, folder: ClusterFolder, step: str
) -> None:
    await service.put(taskforce(ONE, workers=2))
    assert await (await processes.start(step)).wait() == -signal.SIGKILL
    survivors = pilots(folder)
    await processes.start()
    submitted = await service.until_phase(ONE, Phase.CONDOR_SUBMIT)
    await service.until(lambda: len(pilots(folder)) == 2, "its pilots")
    assert survivors <= pilots(folder)
    assert service.history[ONE] == [Phase.PENDING_STARTER, Phase.CONDOR_SUBMIT]
    assert submitted.submit_dict["queue"] == 2
    await service.change(ONE, phase=Phase.PENDING_STOPPER)
    await service.until_phase(ONE, Phase.CONDOR_COMPLETE)
    assert not pilots(folder)


async def test_killed_while_it_submits_what_is_stopped_meanwhile(
    processes: TmsProcesses, service: ScriptedService, folder: ClusterFolder
) -> None:
    await service.put(taskforce(ONE))
    assert await (await processes.start("before:confirm_submit")).wait() == -signal.SIGKILL
    await service.change(ONE, phase=Phase.PENDING_STOPPER)
    await processes.start()
    await service.until_phase(ONE, Phase.CONDOR_COMPLETE)
    assert Phase.CONDOR_SUBMIT not in service.history[ONE]
    assert not pilots(folder)


@pytest.mark.parametrize(
    "step", ["before:confirm_removal", "after:confirm_removal", "before:confirm_completion", "after:confirm_completion"]
)
async def test_killed_while_it_removes(
    processes: TmsProcesses, service: ScriptedService, folder: ClusterFolder, step: str
) -> None:
    await service.put(taskforce(ONE))
    dying = await processes.start(step)
    await service.until_phase(ONE, Phase.CONDOR_SUBMIT)
    await service.change(ONE, phase=Phase.PENDING_STOPPER)
    assert await dying.wait() == -signal.SIGKILL
    await processes.start()
    await service.until_phase(ONE, Phase.CONDOR_COMPLETE)
    assert not pilots(folder)
    assert service.history[ONE][-2:] == [Phase.CONDOR_RM, Phase.CONDOR_COMPLETE]


async def test_sigterm_ends_a_tms_but_not_its_pilots(
    processes: TmsProcesses, service: ScriptedService, folder: ClusterFolder
) -> None:
    await service.put(taskforce(ONE))
    process = await processes.start()
    await service.until(lambda: pilots(folder), "a pilot")
    before = pilots(folder)
    process.terminate()
    async with asyncio.timeout(3.0):
        assert await process.wait() == 0
    assert pilots(folder) == before


async def test_a_second_tms_in_the_folder_waits(
    processes: TmsProcesses, service: ScriptedService, folder: ClusterFolder
) -> None:
    await service.put(taskforce(ONE))
    first = await processes.start()
    await service.until_phase(ONE, Phase.CONDOR_SUBMIT)
    await processes.start()
    await service.until(lambda: "another TMS" in service.reports[-1].reason, "its complaint")
    first.kill()
    await service.change(ONE, phase=Phase.PENDING_STOPPER)
    await service.until_phase(ONE, Phase.CONDOR_COMPLETE)
    assert not pilots(folder)


async def test_neither_logs_nor_listings_hold_secrets(
    processes: TmsProcesses, service: ScriptedService, folder: ClusterFolder
) -> None:
    await service.put(taskforce(ONE))
    process = await processes.start()
    submitted = await service.until_phase(ONE, Phase.CONDOR_SUBMIT)
    await service.until(lambda: pilots(folder), "a pilot")
    said = processes.log.read_bytes() + str(submitted.submit_dict).encode()
    assert TOKEN.encode() not in said
    assert service.pilot.broker_url.encode() not in said
    assert not [path for path in folder.path.rglob("*") if path.stat().st_mode & 0o077 and path.suffix == ".json"]
    process.terminate()
    assert await process.wait() == 0

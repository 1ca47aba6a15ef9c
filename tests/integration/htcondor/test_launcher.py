"""One local run whose pilots are jobs of HTCondor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ewms.core.errors import UsageError
from ewms.tms.backends._htcondor_pool import Pool
from ewms.tms.backends.htcondor import HtcondorBackend, HtcondorSettings
from ewms.tms.launchers.htcondor import HtcondorLauncher, refuse_unreachable
from tests.integration.htcondor.conftest import QUICK, Work, until
from tests.support.condor import CondorPool


@asynccontextmanager
async def launching(pool: CondorPool, work: Work, folder: Path) -> AsyncIterator[HtcondorLauncher]:
    settings = HtcondorSettings.model_validate({"config": str(pool.config)} | QUICK)
    launcher = HtcondorLauncher(folder / "pilots", settings, {"work.py": work.code})
    try:
        yield launcher
    finally:
        await launcher.stop(5.0)


async def jobs(pool: CondorPool, folder: Path) -> str:
    """Numbers of the run's jobs."""
    mark = f'EWMSService == "run {folder / "pilots"}"'
    return pool.tool("condor_q", "-constraint", mark, "-af:j", "JobStatus")


async def test_a_run_is_done_by_slots(backend: HtcondorBackend, condor_pool: CondorPool, tmp_path: Path) -> None:
    work = Work(tmp_path, events=20)
    async with work.driven(backend), launching(condor_pool, work, tmp_path) as launcher:
        await launcher.start(work.config, 2)
        await work.complete()
        await launcher.stop(2.0)
        assert await jobs(condor_pool, tmp_path) == ""
    assert work.accepted == 20


async def test_a_cluster_that_was_removed_is_submitted_again_and_taken_over_by_the_next_process(
    backend: HtcondorBackend, condor_pool: CondorPool, tmp_path: Path
) -> None:
    work = Work(tmp_path, events=2000, seconds=0.1)
    async with work.driven(backend), launching(condor_pool, work, tmp_path) as launcher:
        await launcher.start(work.config, 1)
        first = (await jobs(condor_pool, tmp_path)).split(".")[0]
        condor_pool.tool("condor_rm", first)

        async def another() -> str:
            found = (await jobs(condor_pool, tmp_path)).split(".")[0]
            return found if found != first else ""

        second = await until(another, "another cluster")
        async with launching(condor_pool, work, tmp_path) as successor:
            await successor.start(work.config, 2)
            found = (await jobs(condor_pool, tmp_path)).splitlines()
            assert [line.split(".")[0] for line in found] == [second, second]


async def test_pilots_that_cannot_work_end_the_run_with_the_reason(
    backend: HtcondorBackend, condor_pool: CondorPool, tmp_path: Path
) -> None:
    work = Work(tmp_path, events=1, consumer="work:nothing")
    async with work.driven(backend), launching(condor_pool, work, tmp_path) as launcher:
        await launcher.start(work.config, 1)
        reason = await asyncio.wait_for(launcher.wait_broken(), 30.0)
    assert "consumer 'work:nothing': work has no 'nothing'" in reason


async def test_a_broker_that_slots_cannot_reach_is_refused(condor_pool: CondorPool) -> None:
    class WithAnotherMachine(Pool):
        async def addresses(self) -> list[str]:
            return [*await super().addresses(), "<192.0.2.7:9618?addrs=192.0.2.7-9618>"]

    config = str(condor_pool.config)
    await refuse_unreachable(Pool(config, ""), "nats://token@127.0.0.1:4222")
    await refuse_unreachable(WithAnotherMachine(config, ""), "nats://token@broker.example.org:4222")
    with pytest.raises(UsageError, match=r"such as 192\.0\.2\.7, which cannot reach the broker at 127\.0\.0\.1"):
        await refuse_unreachable(WithAnotherMachine(config, ""), "nats://token@127.0.0.1:4222")

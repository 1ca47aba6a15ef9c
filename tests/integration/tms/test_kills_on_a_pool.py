"""The same on a real HTCondor pool: one cluster for a taskforce, and none when it is over."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ewms.core.service.phases import Phase
from ewms.core.service.taskforce import WorkerSpec
from tests.support.condor import CondorPool, condor_pool
from tests.support.scripted_service import ScriptedService
from tests.support.taskforces import taskforce
from tests.support.tms_processes import TmsProcesses

__all__ = ["condor_pool"]

SECONDS = 60.0
SMALL = WorkerSpec(memory=128 << 20, disk=64 << 20)


@pytest.fixture
async def processes(tmp_path: Path, service: ScriptedService, condor_pool: CondorPool) -> AsyncIterator[TmsProcesses]:
    processes = TmsProcesses(tmp_path, service.url, f'backend = "htcondor"\nconfig = "{condor_pool.config}"\n')
    with condor_pool.used():
        yield processes
        await processes.end()


async def clusters(pool: CondorPool, tmp_path: Path) -> set[str]:
    """Clusters whose jobs lie in this test's folder."""
    asked = ("-allusers", "-factory", "-af", "ClusterId", "Iwd", "UserLog")
    printed = await asyncio.to_thread(pool.tool, "condor_q", *asked)
    return {line.split()[0] for line in printed.splitlines() if str(tmp_path) in line}


@pytest.mark.parametrize("step", ["before:confirm_submit", "after:confirm_submit"])
async def test_killed_between_submitted_and_recorded(
    processes: TmsProcesses, service: ScriptedService, condor_pool: CondorPool, tmp_path: Path, step: str
) -> None:
    await service.put(taskforce("TF-1", workers=2, worker=SMALL))
    assert await (await processes.start(step)).wait() == -signal.SIGKILL
    before = await clusters(condor_pool, tmp_path)
    assert len(before) == 1
    await processes.start()
    submitted = await service.until_phase("TF-1", Phase.CONDOR_SUBMIT, SECONDS)
    assert before == {str(submitted.cluster_id)}
    await service.until(lambda: "RUNNING" in service.taskforces["TF-1"].compound_statuses, "running pilots", SECONDS)
    assert await clusters(condor_pool, tmp_path) == before
    await service.change("TF-1", phase=Phase.PENDING_STOPPER)
    await service.until_phase("TF-1", Phase.CONDOR_COMPLETE, SECONDS)
    assert await clusters(condor_pool, tmp_path) == set()

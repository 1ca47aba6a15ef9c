"""What breaks at an access point is explained, and repaired by the schedd itself."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from ewms.tms.backend import BackendUnavailable, Batch
from ewms.tms.backends.htcondor import HtcondorBackend, HtcondorSettings
from ewms.tms.folder import ClusterFolder
from tests.integration.htcondor.conftest import Listener, Work, only_batch, processes, shadows, starters, until
from tests.support.condor import SITE, CondorPool

Parts = Callable[[CondorPool, int], list[psutil.Process]]


async def started(backend: HtcondorBackend, work: Work, workers: int = 1) -> tuple[Listener, int]:
    """Submit, and wait until events are done; who listens, and the cluster's number."""
    listener = Listener(backend)
    submitted = await backend.submit(work.order(workers=workers), work.config, work.files)
    await until(lambda: accepted(work, 1), "the first outcome")
    return listener, submitted.cluster_id


async def accepted(work: Work, count: int) -> bool:
    return work.accepted >= count


async def goes_on(work: Work, what: str) -> float:
    """Wait for more outcomes than a running worker could still bring; the seconds."""
    began, before = time.monotonic(), work.accepted
    await until(lambda: accepted(work, before + 3), what)
    return time.monotonic() - began


@pytest.mark.parametrize("whom", ["worker", "cluster"])
async def test_a_hold_by_a_person_is_explained_and_repaired(
    backend: HtcondorBackend, tmp_path: Path, condor_pool: CondorPool, whom: str
) -> None:
    work = Work(tmp_path, events=1000, seconds=0.1)
    async with work.driven(backend):
        listener, cluster = await started(backend, work)
        job = f"{cluster}.0" if whom == "worker" else str(cluster)
        condor_pool.tool("condor_hold", "-reason", "the disk is full", job)
        await listener.wait(
            lambda standing: any(
                "HELD: put on hold by a person: the disk is full" in status for status in standing.compound_statuses
            ),
            "the reason",
        )

        async def replaced() -> bool:
            await backend.survey()
            return "1" in condor_pool.tool("condor_q", str(cluster), "-af", "ProcId").split()

        await until(replaced, "another worker")
        await goes_on(work, "outcomes of another worker")
        await listener.close()
    assert not any(standing.site_losses for standing in listener.heard)


async def test_a_worker_removed_by_a_person_is_replaced(
    backend: HtcondorBackend, tmp_path: Path, condor_pool: CondorPool
) -> None:
    work = Work(tmp_path, events=1000, seconds=0.1)
    async with work.driven(backend):
        listener, cluster = await started(backend, work)
        condor_pool.tool("condor_rm", f"{cluster}.0")
        await listener.wait(lambda standing: "REMOVED" in standing.compound_statuses, "the removal")
        await goes_on(work, "outcomes of another worker")
        await listener.close()


async def test_the_end_of_a_cluster_removed_by_a_person_is_told(
    backend: HtcondorBackend, tmp_path: Path, condor_pool: CondorPool
) -> None:
    work = Work(tmp_path, events=1000, seconds=0.1)
    async with work.driven(backend):
        listener, cluster = await started(backend, work)
        batch = await only_batch(backend)
        condor_pool.tool("condor_rm", str(cluster))
        await backend.resize(batch, 5)
        await listener.wait(lambda standing: standing.ended_at, "its end")
        await listener.close()
    assert await backend.survey() == []


async def test_a_pilot_that_cannot_work_is_told_with_its_reason_and_tried_again(
    backend: HtcondorBackend, tmp_path: Path
) -> None:
    work = Work(tmp_path, events=2, consumer="work:broken_import")
    async with work.driven(backend):
        listener = Listener(backend)
        await backend.submit(work.order(workers=1), work.config, work.files)
        held = await listener.wait(lambda s: any(status.startswith("HELD") for status in s.compound_statuses), "the hold")
        await listener.wait(lambda s: s.compound_statuses.get("REMOVED"), "its replacement")
        await listener.close()
    (status,) = (status for status in held.compound_statuses if status.startswith("HELD"))
    assert status == "HELD: the pilot ended with exit code 4"
    assert held.compound_statuses[status] == {"FatalError": 1}
    (error,) = held.top_task_errors
    assert "broken_import" in error
    losses = sum((Counter(standing.site_losses) for standing in listener.heard), Counter())
    assert losses[SITE] >= 2


@pytest.mark.parametrize("parts", [starters, shadows])
async def test_no_event_is_lost_with_a_worker(
    backend: HtcondorBackend,
    tmp_path: Path,
    condor_pool: CondorPool,
    parts: Callable[[CondorPool, int], list[psutil.Process]],
) -> None:
    work = Work(tmp_path, events=60, seconds=0.1)
    async with work.driven(backend):
        listener, cluster = await started(backend, work, workers=2)
        before = parts(condor_pool, cluster)
        before[0].kill()

        async def is_back() -> bool:
            return len(set(parts(condor_pool, cluster)) - set(before)) > 0

        await until(is_back, "another one")
        await work.complete()
        await listener.wait(lambda standing: standing.site_losses == {SITE: 1}, "the loss")
        await listener.close()
    assert work.accepted == 60


async def test_no_event_is_lost_with_the_schedd(
    lonely_backend: HtcondorBackend, tmp_path: Path, condor_pool: CondorPool
) -> None:
    work = Work(tmp_path, events=60, seconds=0.1)
    async with work.driven(lonely_backend):
        listener, cluster = await started(lonely_backend, work, workers=2)
        (schedd,) = processes(condor_pool, "condor_schedd")
        schedd.kill()
        with pytest.raises(BackendUnavailable):
            await lonely_backend.survey()

        async def is_back() -> list[Batch]:
            with suppress(BackendUnavailable):
                return await lonely_backend.survey()
            return []

        (batch,) = await until(is_back, "another schedd")
        assert (batch.cluster_id, batch.workers) == (cluster, 2)
        await work.complete()
        await lonely_backend.remove(batch, "it is complete")
        await listener.wait(lambda standing: standing.ended_at, "its end")
        await listener.close()
    assert work.accepted == 60


async def test_a_schedd_that_is_not_there_only_delays(tmp_path: Path, condor_pool: CondorPool) -> None:
    settings = HtcondorSettings(config=str(condor_pool.config), schedd="nobody@nowhere")
    backend = HtcondorBackend(settings, ClusterFolder(tmp_path / "tms"), "test")
    with pytest.raises(BackendUnavailable, match="the pool knows no schedd 'nobody@nowhere'"):
        await backend.survey()

"""A taskforce from its submission to its end, on real slots."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from ewms.tms.backend import BackendRefused, Batch
from ewms.tms.backends.htcondor import HtcondorBackend, HtcondorSettings
from ewms.tms.folder import ClusterFolder
from tests.integration.htcondor.conftest import Listener, Work, only_batch, until
from tests.support.condor import SITE, CondorPool


async def test_events_are_done_and_nothing_left(backend: HtcondorBackend, tmp_path: Path, condor_pool: CondorPool) -> None:
    work = Work(tmp_path, events=40)
    async with work.driven(backend):
        listener = Listener(backend)
        order = work.order(return_output=True, max_runtime=600, concurrency_limits=("ewms_test",), priority=10)
        submitted = await backend.submit(order, work.config, work.files)
        await work.complete()
        batch = await only_batch(backend)
        job = condor_pool.tool("condor_q", "-long", str(batch.cluster_id))
        await backend.remove(batch, "it is complete")
        ended = await listener.wait(lambda standing: standing.ended_at, "its end")
        await listener.close()

    assert work.accepted == 40
    assert batch == Batch(order.taskforce.taskforce_uuid, submitted.cluster_id, 2)
    assert await backend.survey() == []
    assert condor_pool.tool("condor_q", str(batch.cluster_id), "-af", "ClusterId") == ""
    assert ended.ended_at == pytest.approx(time.time(), abs=60)
    assert ended.compound_statuses["COMPLETED"]["Done"] >= 1
    seen = {status for standing in listener.heard for pilots in standing.compound_statuses.values() for status in pilots}
    assert seen > {"Done"}
    successes = sum((Counter(standing.site_successes) for standing in listener.heard), Counter())
    assert successes[SITE] >= 1
    assert not any(standing.site_losses for standing in listener.heard)
    printed = [path.read_text() for path in (tmp_path / "tms" / "taskforces").glob("*/out/*.err")]
    assert any("no more work will come" in text for text in printed)
    assert 'JobBatchName = "ewms WF-' in job
    assert 'ConcurrencyLimits = "ewms_test"' in job


async def test_credentials_are_in_a_private_file_alone(
    backend: HtcondorBackend, tmp_path: Path, condor_pool: CondorPool
) -> None:
    work = Work(tmp_path, events=4)
    async with work.driven(backend):
        submitted = await backend.submit(work.order(return_output=True), work.config, work.files)
        await work.complete()
        batch = await only_batch(backend)
        told = [str(submitted), condor_pool.tool("condor_q", "-long", str(batch.cluster_id))]
        await backend.remove(batch, "it is complete")
    token = work.config.broker_url.partition("//")[2].partition("@")[0]
    holders = [path for path in (tmp_path / "tms").rglob("*") if path.is_file() and token in path.read_text()]
    told += [path.read_text() for path in condor_pool.folder.glob("pool/log/*") if path.is_file()]

    assert [path.name for path in holders] == ["pilot.json"]
    assert holders[0].stat().st_mode & 0o777 == 0o600
    assert not any(token in text for text in told)


async def test_what_was_submitted_by_a_process_that_died_is_adopted(
    backend: HtcondorBackend, tmp_path: Path, condor_pool: CondorPool
) -> None:
    work = Work(tmp_path, events=1)
    async with work.driven(backend):
        order = work.order(workers=1)
        submitted = await backend.submit(order, work.config, work.files)
        settings, folder = HtcondorSettings(config=str(condor_pool.config)), ClusterFolder(tmp_path / "tms")
        successor = HtcondorBackend(settings, folder, f"test {tmp_path}")
        stranger = HtcondorBackend(settings, ClusterFolder(tmp_path / "other"), "somebody else")

        (batch,) = await successor.survey()
        assert await successor.recall(batch) == submitted
        assert await successor.submit(order, work.config, work.files) == submitted
        assert await successor.survey() == [batch]
        assert await stranger.survey() == []


async def test_text_of_users_is_nothing_but_text(backend: HtcondorBackend, tmp_path: Path, condor_pool: CondorPool) -> None:
    work = Work(tmp_path, events=1)
    async with work.driven(backend):
        order = work.order(workers=1, requirements='Name =!= "$(Cluster)$ENV(HOME)"', accounting_group="group_$ENV(HOME)")
        pilot = order.taskforce.pilot.model_copy(update={"environment": {"ODD": 'it\'s $ENV(HOME) $(Cluster) "quoted"'}})
        order = order.model_copy(update={"taskforce": order.taskforce.model_copy(update={"pilot": pilot})})
        submitted = await backend.submit(order, work.config, work.files)
        job = dict(
            line.split(" = ", 1)
            for line in condor_pool.tool("condor_q", "-long", str(submitted.cluster_id)).splitlines()
            if " = " in line
        )

    assert job["AcctGroup"] == '"group_$ENV(HOME)"'
    assert '(Name =!= "$(Cluster)$ENV(HOME)")' in job["Requirements"]
    assert "'$ENV(HOME)' '$(Cluster)'" in job["Environment"]


@pytest.mark.parametrize("wrong", ["Memory >", "Memory > 1) || (true", "a\nqueue 100", "Memory > $$(Memory)"])
async def test_what_is_no_expression_is_refused(backend: HtcondorBackend, tmp_path: Path, wrong: str) -> None:
    work = Work(tmp_path, events=1)
    async with work.driven(backend):
        with pytest.raises(BackendRefused) as error:
            await backend.submit(work.order(requirements=wrong), work.config, work.files)

    assert "requirements" in str(error.value)
    assert await backend.survey() == []


async def test_workers_become_more_and_fewer(backend: HtcondorBackend, tmp_path: Path, condor_pool: CondorPool) -> None:
    work = Work(tmp_path, events=200, seconds=0.2)
    async with work.driven(backend):
        await backend.submit(work.order(workers=1), work.config, work.files)

        async def resized(workers: int) -> bool:
            await backend.resize(await only_batch(backend), workers)
            jobs = condor_pool.tool("condor_q", str((await only_batch(backend)).cluster_id), "-af", "ProcId").split()
            return len(jobs) == workers == (await only_batch(backend)).workers

        for workers in (4, 2, 0, 3):
            await until(partial(resized, workers), f"{workers} workers")
        await until(lambda: _enough(work, 20), "20 outcomes")
        counts = work.driver.ledger.counters
    assert (counts.retried, counts.dead_lettered, counts.vanished) == (0, 0, 0)


async def test_no_worker_starts_at_an_excluded_site(backend: HtcondorBackend, tmp_path: Path) -> None:
    work = Work(tmp_path, events=4)
    async with work.driven(backend):
        order = work.order(workers=1).model_copy(update={"excluded_sites": (SITE, "ANOTHER")})
        await backend.submit(order, work.config, work.files)
        listener = Listener(backend)
        with pytest.raises(TimeoutError):
            await work.complete(patience=5.0)
        assert "RUNNING" not in listener.last[order.taskforce.taskforce_uuid].compound_statuses
        await backend.exclude(await only_batch(backend), ["ANOTHER"])
        await work.complete()
        await listener.close()
    assert work.accepted == 4


async def _enough(work: Work, count: int) -> bool:
    return work.accepted >= count

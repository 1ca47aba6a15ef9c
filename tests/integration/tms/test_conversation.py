"""A TMS with real pilots on this machine, talking over HTTP: what is wanted comes to be, whoever goes away meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator

import pytest
from fastapi import HTTPException

from ewms.core.config import PilotConfig
from ewms.core.service.phases import Phase
from ewms.core.service.taskforce import PilotSpec, WorkerSpec
from ewms.tms.backends.local import LocalBackend, LocalSettings
from ewms.tms.cluster import Cluster
from ewms.tms.folder import CONFIG, ClusterFolder
from ewms.tms.service_client import ServiceClient
from tests.support.scripted_service import TOKEN, ScriptedService
from tests.support.taskforces import pilots, taskforce

ONE = "TF-1"


@pytest.fixture
async def tms(service: ScriptedService, folder: ClusterFolder) -> AsyncIterator[Cluster]:
    """A TMS at work."""
    async with running(service, folder) as cluster:
        yield cluster


@contextlib.asynccontextmanager
async def running(service: ScriptedService, folder: ClusterFolder, max_workers: int = 4) -> AsyncIterator[Cluster]:
    """A TMS at work until the block ends; pilots stay."""
    stop = asyncio.Event()
    settings = LocalSettings(max_workers=max_workers)
    async with LocalBackend(settings, folder, "") as backend, ServiceClient(service.url, "here", lambda: TOKEN) as client:
        cluster = Cluster("here", backend, client, folder)
        task = asyncio.create_task(cluster.run(stop))
        try:
            yield cluster
        finally:
            stop.set()
            await task


async def test_a_taskforce_goes_through_its_phases(tms: Cluster, service: ScriptedService, folder: ClusterFolder) -> None:
    began = time.monotonic()
    await service.put(taskforce(ONE, workers=1))
    submitted = await service.until_phase(ONE, Phase.CONDOR_SUBMIT)
    assert time.monotonic() - began < 1.0
    assert submitted.cluster_id is not None
    assert submitted.job_event_log_fpath == str(folder.taskforce(ONE))
    await service.until(lambda: len(pilots(folder)) == 1, "a pilot")
    await service.until(lambda: service.taskforces[ONE].compound_statuses == {"RUNNING": {"Started": 1}}, "its status")

    await service.change(ONE, workers=3)
    await service.until(lambda: len(pilots(folder)) == 3, "three pilots")
    await service.change(ONE, workers=1)
    await service.until(lambda: len(pilots(folder)) == 1, "one pilot again")

    began = time.monotonic()
    await service.change(ONE, phase=Phase.PENDING_STOPPER)
    await service.until_phase(ONE, Phase.CONDOR_COMPLETE)
    assert time.monotonic() - began < 2.0
    assert not pilots(folder)
    assert service.history[ONE] == [
        Phase.PENDING_STARTER,
        Phase.CONDOR_SUBMIT,
        Phase.PENDING_STOPPER,
        Phase.CONDOR_RM,
        Phase.CONDOR_COMPLETE,
    ]
    assert not (folder.taskforce(ONE) / CONFIG).exists()


async def test_nothing_is_said_twice(tms: Cluster, service: ScriptedService) -> None:
    await service.put(taskforce(ONE))
    await service.until_phase(ONE, Phase.CONDOR_SUBMIT)
    await service.change(ONE, phase=Phase.PENDING_STOPPER)
    await service.until_phase(ONE, Phase.CONDOR_COMPLETE)
    await service.until(lambda: service.reports and service.reports[-1].ready, "a report")
    assert {name: service.calls[name] for name in ("condor-submit", "condor-rm", "condor-complete")} == {
        "condor-submit": 1,
        "condor-rm": 1,
        "condor-complete": 1,
    }


async def test_without_a_service_pilots_go_on(tms: Cluster, service: ScriptedService, folder: ClusterFolder) -> None:
    await service.put(taskforce(ONE))
    await service.until_phase(ONE, Phase.CONDOR_SUBMIT)
    await service.until(lambda: pilots(folder), "a pilot")
    before = pilots(folder)
    await service.stop()
    await service.change(ONE, phase=Phase.PENDING_STOPPER)
    assert pilots(folder) == before
    await service.start()
    await service.until_phase(ONE, Phase.CONDOR_COMPLETE)
    assert not pilots(folder)


async def test_a_taskforce_that_is_stopped_while_it_is_submitted_leaves_nothing(
    tms: Cluster, service: ScriptedService, folder: ClusterFolder
) -> None:
    async def abort() -> None:
        service.before.clear()
        await service.change(ONE, phase=Phase.PENDING_STOPPER)

    service.before["/v1/tms/condor-submit"] = abort
    await service.put(taskforce(ONE))
    await service.until_phase(ONE, Phase.CONDOR_COMPLETE)
    assert Phase.CONDOR_SUBMIT not in service.history[ONE]
    assert not pilots(folder)


async def test_what_nobody_wants_is_removed(service: ScriptedService, folder: ClusterFolder) -> None:
    async with running(service, folder):
        await service.put(taskforce(ONE))
        await service.until(lambda: pilots(folder), "a pilot")
    await service.forget(ONE)
    async with running(service, folder):
        await service.until(lambda: not pilots(folder), "the end of the orphan")


async def test_a_tms_takes_over_from_the_one_before(service: ScriptedService, folder: ClusterFolder) -> None:
    async with running(service, folder):
        await service.put(taskforce(ONE, workers=2))
        await service.until(lambda: len(pilots(folder)) == 2, "pilots")
    before = pilots(folder)
    async with running(service, folder):
        await service.until(lambda: service.reports and service.reports[-1].workers == 2, "a report")
        assert pilots(folder) == before
        await service.change(ONE, workers=3)
        await service.until(lambda: len(pilots(folder)) == 3, "a third pilot")
        assert before < pilots(folder)


async def test_what_is_refused_is_given_up_after_three_times(tms: Cluster, service: ScriptedService) -> None:
    await service.put(taskforce("TF-bad", worker=WorkerSpec(gpus=1)))
    await service.put(taskforce(ONE))
    bad = await service.until_phase("TF-bad", Phase.CONDOR_COMPLETE)
    assert bad.failures == 3
    assert "local cluster gives none" in bad.reason
    assert Phase.CONDOR_SUBMIT in service.history[ONE]


async def test_a_fault_of_the_service_is_no_failure_of_the_taskforce(tms: Cluster, service: ScriptedService) -> None:
    async def fail() -> None:
        if service.calls["condor-submit"] > 2:
            service.before.clear()
        raise HTTPException(500)

    service.before["/v1/tms/condor-submit"] = fail
    await service.put(taskforce(ONE))
    submitted = await service.until_phase(ONE, Phase.CONDOR_SUBMIT)
    assert submitted.failures == 0


async def test_uploads_come_to_the_pilot(tms: Cluster, service: ScriptedService, folder: ClusterFolder) -> None:
    service.files = {"code/work.py": b"def work(): ...\n", "context/model.bin": b"\x00\x01"}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in service.files.items()}
    await service.put(taskforce(ONE, pilot=PilotSpec(files=digests)))
    await service.until_phase(ONE, Phase.CONDOR_SUBMIT)
    config = PilotConfig.model_validate_json((folder.taskforce(ONE) / CONFIG).read_bytes())
    root = folder.uploads_of("WF-test")
    assert config.search_path == (str(root / "code"),)
    assert config.context[0].name == "model.bin"
    assert (root / "code" / "work.py").read_bytes() == service.files["code/work.py"]


@pytest.mark.parametrize("files", [{"code/work.py": b"something else"}, {}])
async def test_a_wrong_upload_fails_the_submission(
    tms: Cluster, service: ScriptedService, folder: ClusterFolder, files: dict[str, bytes]
) -> None:
    service.files = files
    await service.put(taskforce(ONE, pilot=PilotSpec(files={"code/work.py": "0" * 64})))
    await service.until(lambda: service.taskforces[ONE].failures, "a failure")
    assert "'code/work.py' of WF-test" in service.taskforces[ONE].reason
    assert "upload it again" in service.taskforces[ONE].reason
    assert not pilots(folder)

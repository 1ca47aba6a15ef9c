"""Defects of SkyDriver that were seen while reading it (`reference/features.md`, 9b): each is a test, named after it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ewms.core.errors import EwmsError, StoreError
from ewms.services import NewWorkflow
from ewms.wms.access.roles import Role
from ewms.wms.service import plugin_host
from ewms.wms.service.submitting import submit_new
from tests.support.conditions import until
from tests.support.secret_hunt import SecretHunt
from tests.support.service import service_with

from .conftest import CLUSTERS, Sky, plugins, scan_body

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def poor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sky]:
    """A service where ada may have two scans at a time."""
    folder = tmp_path_factory.mktemp("poor")
    owners = {"ada": {"workflows": 2}}
    async with service_with(plugins(), folder, access={}, clusters=CLUSTERS, owners=owners) as service:
        minted = service.state.access.minted
        found = Sky(service=service, tokens={name: await minted.mint(name, Role.USER) for name in ("ada", "bob")})
        yield found
        for client in found.clients.values():
            await client.aclose()


async def test_per_cluster_worker_counts_lost(sky: Sky) -> None:
    """Only the first cluster's count was passed on, and applied to all."""
    manifest = await sky.posted(cluster={"here": 3, "there": 1})
    found = (await sky.ask(f"/scan/{manifest['scan_id']}/ewms/taskforces"))["taskforces"]
    assert {one["schedd"]: one["n_workers"] for one in found} == {"here": 3, "there": 1}


async def test_duplicate_cluster_refused(sky: Sky) -> None:
    """A cluster listed twice, which is documented, was refused by another service; here two names of one are one, too."""
    manifest = await sky.posted(cluster=[["here", 1], ["there", 1], ["here", 2], ["osg", 4]])
    found = (await sky.ask(f"/scan/{manifest['scan_id']}/ewms/taskforces"))["taskforces"]
    assert {one["schedd"]: one["n_workers"] for one in found} == {"here": 7, "there": 1}
    request = await sky.ask(f"/scan-request/{manifest['scan_id']}")
    assert request["request_clusters"] == {"here": 7, "there": 1}


async def test_token_minted_before_backlog(sky: Sky) -> None:
    """A long backlog could outlive the token: here nothing is minted for a scan before a driver host takes it up."""
    before = await sky.service.state.store.count("tokens")
    manifest = await sky.posted()
    assert await sky.service.state.store.count("tokens") == before
    workflow = await sky.service.state.store.get("workflows", manifest["ewms_workflow_id"])
    assert workflow is not None
    assert not workflow.body["active"], "queues and credentials come with the driver host"


async def test_secrets_stored_in_job_documents(sky: Sky) -> None:
    """The whole job, with tokens and client secret in it, was written to the database."""
    secret = "s3cr3t-of-a-variable-that-nobody-needs"
    manifest = await sky.posted(scanner_server_env_from_user={"TOKEN": secret, "N": 1})
    assert "TOKEN" in " ".join(manifest["not_applicable"]), "it is told that it is not used"
    for path in (f"/scan/{manifest['scan_id']}", f"/scan-request/{manifest['scan_id']}"):
        assert secret not in json.dumps(await sky.ask(path))
    folder = sky.service.state.configuration.service.data
    assert SecretHunt({"variable": secret, "ada": sky.tokens["ada"]}).in_files(folder) == []


async def test_startup_file_race(sky: Sky) -> None:
    """A worker's only download could come before the upload: here the event is the workflow's before it has a worker."""
    manifest = await sky.posted()
    state = sky.service.state
    workflow = await state.store.get("workflows", manifest["ewms_workflow_id"])
    assert workflow is not None
    digest = workflow.body["files"]["inputs/event.json"]
    with state.files.open(digest) as stream:
        assert json.loads(stream.read()) == scan_body()["event_i3live_json"]
    for taskforce in (await sky.ask(f"/scan/{manifest['scan_id']}/ewms/taskforces"))["taskforces"]:
        assert taskforce["phase"] == "pre-mq-activation", "workers are asked for once the driver host has read the event"


async def test_launcher_blocked_by_quota_wait(poor: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quota error was waited for inside the loop, by urgent scans of others as well."""
    first = await poor.posted()
    away = True

    async def submit_later(state: object, caller: object, request: NewWorkflow, key: str | None) -> object:
        if away:
            raise StoreError("the store was away for a moment")
        return await submit_new(state, caller, request, key)  # type: ignore[arg-type]

    monkeypatch.setattr(plugin_host, "submit_new", submit_later)
    waiting = [await poor.posted() for _ in range(3)]
    assert {one["scan_state"] for one in waiting} == {"PENDING__PRESTARTUP"}
    assert {one["ewms_workflow_id"] for one in waiting} == {"not-yet-requested"}
    away = False
    urgent = await poor.posted("bob", priority=120)
    assert urgent["ewms_workflow_id"].startswith("WF-"), "at once, whoever waits"

    async def are_begun() -> bool:
        entries = (await poor.ask("/scans/backlog"))["entries"]
        reasons = [entry["reason"] for entry in entries if entry["scan_id"] in {one["scan_id"] for one in waiting}]
        return len(reasons) == 3 and sorted(reason == "" for reason in reasons) == [False, False, True]

    await until(are_begun, "one to be begun, and two to tell of the quota", 90)
    assert (await poor.ask("/scans/backlog"))["entries"][0]["scan_id"] == urgent["scan_id"], "the urgent first"
    await poor.ask(f"/scan/{first['scan_id']}", method="DELETE")
    answer = await poor.of().post("/scan", json=scan_body())
    assert answer.status_code in {200, 403}


async def test_a_scan_above_the_quota_leaves_nothing(poor: Sky) -> None:
    async with asyncio.timeout(90):
        while (answer := await poor.of().post("/scan", json=scan_body(classifiers={"last": True}))).status_code == 200:
            pass
    assert answer.status_code == 403
    assert "finish or cancel one" in answer.json()["error"]
    found = await poor.ask("/scans/find", method="POST", json={"filter": {"classifiers.last": True}})
    assert all(one["ewms_workflow_id"].startswith("WF-") for one in found["manifests"])


async def test_head_does_not_import() -> None:
    """The newest SkyDriver could not be imported."""
    assert set(plugins()) == {"skydriver"}


async def test_a_scan_goes_on_with_another_service(tmp_path: Path) -> None:
    """A killed server cost the whole scan: here all of it is in the store, and what was not begun is begun."""
    tables = {"access": {}, "clusters": CLUSTERS}
    async with service_with(plugins(), tmp_path, **tables) as service:
        token = await service.state.access.minted.mint("ada", Role.USER)
        sky = Sky(service=service, tokens={"ada": token})
        with pytest.MonkeyPatch.context() as patch:

            async def fail(*_: object) -> None:
                raise EwmsError("the service was killed here")

            patch.setattr(plugin_host, "submit_new", fail)
            manifest = await sky.posted()
        await sky.of().aclose()
    async with contextlib.AsyncExitStack() as stack:
        service = await stack.enter_async_context(service_with(plugins(), tmp_path, **tables))
        again = Sky(service=service, tokens={"ada": token})
        stack.push_async_callback(again.of().aclose)

        async def is_begun() -> bool:
            found = await again.ask(f"/scan/{manifest['scan_id']}/manifest")
            return bool(found["ewms_workflow_id"].startswith("WF-"))

        await until(is_begun, "the scan to be begun", 90)

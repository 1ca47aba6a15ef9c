"""Searching by `/v1/query`: filters, projections, pages, and everybody's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ewms.stores.collections import TASKFORCES
from ewms.stores.store import Replace
from ewms.wms.access.roles import Role
from tests.support.ewms_v1 import OSG, README_REQUEST, EwmsClient, a_request
from tests.support.service import RunningService, running_service


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[RunningService]:
    async with running_service(tmp_path, access={"anonymous": True}, clusters=OSG) as service:
        yield service


@pytest.fixture
async def ewms(service: RunningService) -> AsyncIterator[EwmsClient]:
    async with service.client() as http:
        yield EwmsClient(http)


async def test_objects_are_found_as_they_were_made(ewms: EwmsClient) -> None:
    made = await ewms.post("/v1/workflows", README_REQUEST)
    await ewms.post("/v1/workflows", README_REQUEST)
    workflow = {"workflow_id": made["workflow"]["workflow_id"]}
    found = await ewms.post("/v1/query/workflows", {"query": workflow})
    assert found == {"workflows": [made["workflow"]], "next_after": None}
    found = await ewms.post("/v1/query/task-directives", {"query": workflow})
    assert found == {"task_directives": made["task_directives"], "next_after": None}
    found = await ewms.post("/v1/query/taskforces", {"query": workflow})
    assert found == {"taskforces": made["taskforces"], "next_after": None}
    assert len((await ewms.post("/v1/query/taskforces", {"query": {}}))["taskforces"]) == 2


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"priority": {"$gte": 60}}, 1),
        ({"$or": [{"priority": 10}, {"priority": 70}]}, 2),
        ({"priority": {"$in": [10, 11]}, "schedd": "ap.example.org"}, 1),
        ({"worker_config.n_cores": 4}, 1),
        ({"pilot_config.tag": "latest", "collector": None}, 3),
        ({"phase": {"$ne": "pre-mq-activation"}}, 0),
    ],
)
async def test_filters_of_ewms(ewms: EwmsClient, query: dict[str, Any], count: int) -> None:
    for priority, cores in ((10, 1), (50, 4), (70, 1)):
        request = a_request(worker_config={"n_cores": cores}) | {"priority": priority}
        await ewms.post("/v1/workflows", request)
    found = await ewms.post("/v1/query/taskforces", {"query": query, "projection": ["priority"]})
    assert len(found["taskforces"]) == count


async def test_a_projection_shows_only_what_it_names(ewms: EwmsClient) -> None:
    await ewms.post("/v1/workflows", README_REQUEST)
    projection = ["phase", "nothing.there", "phase_change_log"]
    (taskforce,) = (await ewms.post("/v1/query/taskforces", {"query": {}, "projection": projection}))["taskforces"]
    log = taskforce.pop("phase_change_log")
    assert [entry["target_phase"] for entry in log] == ["pre-mq-activation"]
    assert taskforce == {"phase": "pre-mq-activation"}


@pytest.mark.parametrize(
    ("body", "telling"),
    [
        ({"query": {"$where": "1"}}, "query.$where"),
        ({"query": {"priority": {"$regex": "x"}}}, "query.priority.$regex"),
        ({"query": {"phase_change_log.target_phase": "x"}}, "cannot be searched"),
        ({"query": []}, "query"),
        ({}, "key 'query' is missing"),
        ({"query": {}, "projection": []}, "projection"),
        ({"query": {}, "limit": 5}, "unknown key 'limit'"),
        ({"query": {}, "after": "no such page"}, ""),
    ],
)
async def test_what_cannot_be_searched_is_said(ewms: EwmsClient, body: dict[str, Any], telling: str) -> None:
    assert telling in (await ewms.post("/v1/query/taskforces", body, 400))["error"]


async def test_pages_hold_everything_once_even_where_one_document_fills_a_page(
    service: RunningService, ewms: EwmsClient
) -> None:
    uuids = []
    for _ in range(4):
        made = await ewms.post("/v1/workflows", README_REQUEST)
        uuids.append(made["taskforces"][0]["taskforce_uuid"])
    for uuid in uuids[:2]:  # as big as a page: EWMS answers with an empty one, and no way on
        stored = await service.state.store.get(TASKFORCES, uuid)
        assert stored is not None
        body = stored.body | {"submit_dict": {"log": "x" * (10 << 20)}}
        await service.state.store.write(Replace(collection=TASKFORCES, key=uuid, version=stored.version, body=body))
    found, pages, after = [], 0, None
    while pages == 0 or after is not None:
        query = {"query": {}, "projection": ["taskforce_uuid"]} | ({} if after is None else {"after": after})
        page = await ewms.post("/v1/query/taskforces", query)
        assert page["taskforces"]
        found += [taskforce["taskforce_uuid"] for taskforce in page["taskforces"]]
        after = page["next_after"]
        pages += 1
    assert sorted(found) == sorted(uuids)
    assert pages >= 3


async def test_users_see_their_own_and_operators_all(tmp_path: Path) -> None:
    async with running_service(tmp_path, access={}, clusters=OSG) as service:
        minted = service.state.access.minted
        ada, bob, boss, tms, pilot = [
            await minted.mint(name, role)
            for name, role in (
                ("ada", Role.USER),
                ("bob", Role.USER),
                ("boss", Role.OPERATOR),
                ("t", Role.TMS),
                ("p", Role.PILOT),
            )
        ]
        async with service.client(ada) as http:
            made = await EwmsClient(http).post("/v1/workflows", README_REQUEST)
            assert len((await EwmsClient(http).post("/v1/query/taskforces", {"query": {}}))["taskforces"]) == 1
        workflow, taskforce = made["workflow"]["workflow_id"], made["taskforces"][0]["taskforce_uuid"]
        queue = made["task_directives"][0]["input_queues"][0]
        for token, count in ((bob, 0), (boss, 1), (tms, 1)):
            async with service.client(token) as http:
                ewms = EwmsClient(http)
                for name in ("workflows", "task-directives", "taskforces"):
                    found = await ewms.post(f"/v1/query/{name}", {"query": {}})
                    assert len(found[name.replace("-", "_")]) == count
                    pinned = await ewms.post(f"/v1/query/{name}", {"query": {"workflow_id": workflow}})
                    assert len(pinned[name.replace("-", "_")]) == count
                await ewms.get(f"/v1/taskforces/{taskforce}", 200 if count else 404)
        async with service.client(bob) as http:
            ewms = EwmsClient(http)
            for action in ("abort", "finished"):
                await ewms.post(f"/v1/workflows/{workflow}/actions/{action}", expected=404)
            await ewms.get(f"/v1/mqs/workflows/{workflow}/mq-profiles/public", 404)
            await ewms.get(f"/v1/mqs/mq-profiles/{queue}", 404)
            await ewms.get("/v1/tms/pending-starter/taskforces?schedd=ap.example.org", 403)
            await ewms.get("/v1/tms/pending-stopper/taskforces?schedd=ap.example.org", 403)
        async with service.client(pilot) as http:
            await EwmsClient(http).post("/v1/query/taskforces", {"query": {}}, 403)
        async with service.client() as http:
            await EwmsClient(http).post("/v1/query/taskforces", {"query": {}}, 401)

"""Workflows come in by our own interface: uploads first, then one request that is checked to the last key."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ewms.core.service.phases import Phase
from ewms.core.service.transitions import Activated, Assigned
from ewms.stores.collections import WORKFLOWS
from ewms.stores.store import Replace
from ewms.wms.service.happening import tell
from tests.support.service import RunningService, running_service
from tests.support.submissions import SPEC, request_for


async def test_a_workflow_is_taken_and_found_again(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        answer = await http.post("/api/workflows", json=await request_for(http))
        assert answer.status_code == 201, answer.text
        workflow = answer.json()
        assert (workflow["state"], workflow["owner"], workflow["name"]) == ("pending", "operator", "numbers")
        assert answer.headers["Location"] == f"/api/workflows/{workflow['workflow_id']}"
        assert (await http.get(answer.headers["Location"])).json()["workflow_id"] == workflow["workflow_id"]
        for wanted, total in (
            ({"label": "site=here"}, 1),
            ({"label": "site=there"}, 0),
            ({"text": "NUMB"}, 1),
            ({"state": "failed"}, 0),
        ):
            listing = (await http.get("/api/workflows", params=wanted)).json()
            assert (len(listing["items"]), listing["total"], listing["after"]) == (total, total, None)


async def test_a_repeat_under_a_key_makes_no_second_workflow(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        request, key = await request_for(http), {"Idempotency-Key": "one"}
        answers = await asyncio.gather(*(http.post("/api/workflows", json=request, headers=key) for _ in range(5)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["workflow_id"] for answer in answers}) == 1
        assert (await http.get("/api/workflows")).json()["total"] == 1
        other = await http.post("/api/workflows", json=request | {"priority": 1}, headers=key)
        assert other.status_code == 409
        assert "take a new one" in other.json()["error"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"spec": {"name": "x"}}, "workflow 'x' has no tasks"),
    ({"spec": SPEC | {"nam": 1}}, "spec: unknown key 'nam'; did you mean 'name'?"),
    ({"spec": 3}, "spec: Input should be a valid dictionary"),
    ({"spek": {}}, "unknown key 'spek'"),
    ({"files": {"code/work.py": "0" * 64}}, "file code/work.py: operator has uploaded no content 000"),
    ({"files": {"code/../work.py": "0" * 64}}, "is no plain relative path"),
    ({"files": {"work.py": "0" * 64}}, "has no place; name it code/"),
    ({"files": {}}, "has nothing to work on"),
    ({"clusters": ["hre"]}, "cluster location 'hre' is unknown; did you mean 'here'?"),
    ({"webhooks": ["http://127.0.0.1/"]}, "is in a private network (127.0.0.1)"),
    ({"webhooks": ["http://localhost/"]}, "is in a private network"),
    ({"worker": {"requirements": "(x"}}, "requirements"),
    ({"worker": {"memory": "1 kB"}}, "memory"),
    ({"priority": -1}, "priority: Input should be greater than or equal to 0"),
    (
        {"spec": SPEC | {"tasks": [SPEC["tasks"][0] | {"python": "work:duble"}]}},
        "module 'work' has no 'duble'; did you mean",
    ),
    ({"spec": SPEC | {"tasks": [SPEC["tasks"][0] | {"python": "wrk:f"}]}}, "there is no module 'wrk'"),
]


@pytest.mark.parametrize(("change", "words"), WRONG)
async def test_what_is_wrong_is_told_in_one_line(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        answer = await http.post("/api/workflows", json=await request_for(http) | change)
        assert answer.status_code == 400, answer.text
        assert words in answer.json()["error"]
        assert "\n" not in answer.json()["error"]


async def test_a_tms_gets_the_plan_as_soon_as_there_is_something_to_do(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        plan = (await http.get("/api/tms/here/plan")).json()
        assert plan["orders"] == []
        workflow = (await http.post("/api/workflows", json=await request_for(http))).json()
        waiting = asyncio.create_task(http.get("/api/tms/here/plan", params={"after": plan["revision"]}))
        uuid = (await http.get(f"/api/workflows/{workflow['workflow_id']}/workers")).json()["items"][0]["taskforce_uuid"]
        assert (await http.get(f"/api/tms/taskforces/{uuid}/pilot")).status_code == 404
        await _activate(service, workflow["workflow_id"])
        await tell(service.state, uuid, Activated())
        await tell(service.state, uuid, Assigned(2))
        order = (await asyncio.wait_for(waiting, 5)).json()["orders"][0]
        assert (order["taskforce"]["phase"], order["taskforce"]["workers"]) == (Phase.PENDING_STARTER, 2)
        answer = await http.get(f"/api/tms/taskforces/{uuid}/pilot")
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        assert answer.json()["tasks"][0]["name"] == "double"


async def _activate(service: RunningService, workflow_id: str) -> None:
    """What a driver host does."""
    stored = await service.state.store.get(WORKFLOWS, workflow_id)
    assert stored is not None
    body = stored.body | {"active": True, "state": "running"}
    await service.state.store.write(Replace(collection=WORKFLOWS, key=workflow_id, version=stored.version, body=body))

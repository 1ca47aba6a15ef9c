"""The service does the same on the shared store."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.driven import drive
from tests.support.service import running_service
from tests.support.submissions import request_for


async def test_a_workflow_is_taken_found_and_read(tmp_path: Path, mongo_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EWMS_TEST_STORE_URL", mongo_url)
    service_table = {"store": "env:EWMS_TEST_STORE_URL"}
    tables = {"service": service_table, "quotas": {"workflows": 2}}
    async with running_service(tmp_path, **tables) as service, service.client() as http:
        request, key = await request_for(http), {"Idempotency-Key": "one"}
        answers = await asyncio.gather(*(http.post("/api/workflows", json=request, headers=key) for _ in range(3)))
        assert {answer.status_code for answer in answers} == {201}
        (workflow_id,) = {answer.json()["workflow_id"] for answer in answers}
        await drive(service.state, workflow_id)
        path = f"/api/workflows/{workflow_id}"
        assert (await http.get("/api/workflows", params={"text": "numb", "label": "site=here"})).json()["total"] == 1
        assert len((await http.get(f"{path}/outcomes")).text.splitlines()) == 2
        assert (await http.get(f"{path}/dead-letters")).json()["total"] == 1
        assert (await http.get(f"{path}/phases")).json()["items"][0]["state"] == "pending"
        assert (await http.get("/readyz")).json()["store"] == ""

"""What users wish of their workflows, and how much they may have."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.driven import change
from tests.support.service import running_service
from tests.support.submissions import INPUT, request_for, submitted, upload


async def test_pause_resume_and_cancel(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        path = f"/api/workflows/{await submitted(http)}"
        wishes = {"pause": "pause", "resume": "run", "cancel": "cancel"}
        for action in ("pause", "pause", "resume", "cancel", "cancel"):
            answer = await http.post(f"{path}/actions/{action}")
            assert (answer.status_code, answer.json()["wish"]) == (200, wishes[action]), answer.text
        for action in ("pause", "resume", "finish"):
            answer = await http.post(f"{path}/actions/{action}")
            assert answer.status_code == 409, answer.text
        assert "being cancelled" in (await http.post(f"{path}/actions/pause")).json()["error"]


async def test_one_that_failed_is_resumed(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        workflow_id = await submitted(http)
        path = f"/api/workflows/{workflow_id}"
        await change(service.state, workflow_id, {"state": "failed", "reason": "the disk is full", "driver": {"epoch": 1}})
        assert (await http.post(f"{path}/actions/pause")).status_code == 409
        workflow = (await http.post(f"{path}/actions/resume")).json()
        assert (workflow["state"], workflow["reason"]) == ("pending", "")
        await change(service.state, workflow_id, {"state": "complete"})
        for action in ("resume", "cancel", "finish", "add-workers"):
            assert (await http.post(f"{path}/actions/{action}", json={})).status_code == 409


async def test_what_may_be_changed_is_changed(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        path = f"/api/workflows/{await submitted(http, workers=2)}"
        workflow = (await http.patch(path, json={"labels": {"a": "b"}, "priority": 100, "workers": None})).json()
        assert (workflow["labels"], workflow["priority"], workflow["workers"]) == ({"a": "b"}, 100, None)
        workflow = (await http.patch(path, json={"workers": 3})).json()
        assert (workflow["labels"], workflow["workers"]) == ({"a": "b"}, 3)
        assert (await http.post(f"{path}/actions/add-workers", json={"workers": 2})).json()["workers"] == 5
        assert (await http.post(f"{path}/actions/add-workers", json={"cluster": "x"})).status_code == 400
        assert (await http.patch(path, json={"state": "complete"})).status_code == 400


async def test_quotas_hold_exactly_and_say_what_to_do(tmp_path: Path) -> None:
    tables = {"quotas": {"workflows": 2, "workers": 5, "upload": "1 KB"}}
    async with running_service(tmp_path, **tables) as service, service.client() as http:
        request = await request_for(http)
        answers = await asyncio.gather(*(http.post("/api/workflows", json=request) for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [201, 201, 403, 403, 403, 403]
        refused = next(answer for answer in answers if answer.status_code == 403)
        assert refused.json()["error"].endswith("may have 2; finish or cancel one")
        many = await http.post("/api/workflows", json=request | {"workers": 6})
        assert (many.status_code, "may have 5 workers" in many.json()["error"]) == (403, True)
        large = await http.post("/api/files", content=b"x" * 1000)
        assert (large.status_code, "may keep 1000" in large.json()["error"]) == (403, True)
        assert (await http.delete(f"/api/files/{await upload(http, INPUT)}")).status_code == 204


async def test_sites_are_excluded_by_operators_and_by_their_tms(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        sites = {"bad": {"losses": 5, "successes": 0, "excluded_for": 100}, "good": {"losses": 0, "successes": 2}}
        assert (await http.post("/api/tms/here/report", json={"ready": True, "sites": sites})).status_code == 204
        answer = await http.post("/api/sites/here/good/exclusion", json={"seconds": 50, "reason": "maintenance"})
        assert answer.json()["excluded_by"] == "operator"
        assert (await http.post("/api/tms/here/report", json={"ready": True, "sites": sites})).status_code == 204
        found = {site["site"]: site for site in (await http.get("/api/sites", params={"cluster": "here"})).json()["items"]}
        assert (found["bad"]["excluded_by"], 90 < found["bad"]["excluded_for"] <= 100) == ("tms", True)
        assert (found["good"]["excluded_by"], found["good"]["successes"]) == ("operator", 2), "it outlasts the TMS's word"
        assert (await http.delete("/api/sites/here/bad/exclusion")).json()["excluded_for"] == 0
        assert (await http.delete("/api/sites/here/nope/exclusion")).status_code == 404
        (cluster,) = (await http.get("/api/clusters")).json()["items"]
        assert (cluster["name"], cluster["report"]["ready"]) == ("here", True)

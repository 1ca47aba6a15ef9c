"""What goes in and out of a workflow: uploads, files, queues, events."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ewms.wms.driver import Queues
from tests.support.conditions import until
from tests.support.driven import change, drive
from tests.support.service import running_service
from tests.support.submissions import CODE, INPUT, submitted, upload


async def test_an_upload_is_checked_and_kept_once(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        digest = await upload(http, CODE)
        assert (await http.post("/api/files", content=CODE)).json() == {"sha256": digest, "size": len(CODE)}
        assert (await http.get("/api/files")).json()["total"] == 1
        wrong = await http.put(f"/api/files/{digest}", content=INPUT)
        assert (wrong.status_code, "send it again" in wrong.json()["error"]) == (400, True)
        missing = await http.post("/api/files/missing", json={"sha256": [digest, "0" * 64]})
        assert missing.json() == {"missing": ["0" * 64]}
        assert (await http.delete(f"/api/files/{digest}")).status_code == 204
        assert (await http.delete(f"/api/files/{digest}")).status_code == 404
        assert not list((tmp_path / "incoming").iterdir())


async def test_an_upload_above_the_limit_is_refused_before_and_while_it_comes(tmp_path: Path) -> None:
    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 4096

    async with running_service(tmp_path, service={"max_upload": "10 KB"}) as service, service.client() as http:
        for content in (b"x" * 10_001, unannounced()):
            answer = await http.post("/api/files", content=content)
            assert answer.status_code == 413
            assert "limit of 10000 bytes" in answer.json()["error"]


@pytest.mark.parametrize("path", ["/api/workflows", "/api/files/missing", "/v1/workflows", "/api/filesystem"])
async def test_any_other_body_above_its_limit_is_refused_whoever_sends_it(tmp_path: Path, path: str) -> None:
    async with running_service(tmp_path, service={"max_request": "10 KB"}, access={}) as service, service.client() as http:
        answer = await http.post(path, json={"sha256": ["x" * 10_001]})
        assert answer.status_code == 413
        assert "10000 bytes" in answer.json()["error"]


async def test_files_are_read_by_their_names_alone(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        path = f"/api/workflows/{await submitted(http)}/files"
        listing = (await http.get(path, params={"limit": 1})).json()
        assert (listing["total"], listing["items"][0]["name"]) == (2, "code/work.py")
        second = (await http.get(path, params={"after": listing["after"]})).json()
        assert [file["name"] for file in second["items"]] == ["inputs/numbers.jsonl"]
        answer = await http.get(f"{path}/code/work.py")
        assert (answer.content, answer.headers["Content-Disposition"]) == (CODE, "attachment")
        part = await http.get(f"{path}/code/work.py", headers={"Range": "bytes=0-2"})
        assert (part.status_code, part.content) == (206, CODE[:3])
        for trick in (
            "code/../../secrets/x",
            "..%2f..%2fsecrets%2fx",
            "%2fetc%2fpasswd",
            "code/work.py%00",
            "code//work.py",
        ):
            assert (await http.get(f"{path}/{trick}")).status_code == 404


async def test_an_open_workflow_takes_events(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        workflow_id = await submitted(http, open=True)
        path = f"/api/workflows/{workflow_id}"
        event = {"id": "a/1", "body": {"n": 1}}
        assert (await http.post(f"{path}/events", json={"events": [event]})).status_code == 409, "not active yet"
        (queue,) = (await http.get(path)).json()["public"].values()
        await service.state.broker.declare(queue, 5.0)
        await change(service.state, workflow_id, {"state": "running", "active": True})
        raw = {"id": "a/2", "body": base64.b64encode(b"\x00\x01").decode(), "codec": "bytes"}
        answer = await http.post(f"{path}/events", json={"events": [event, event, raw]})
        assert (answer.status_code, answer.json()) == (200, {"accepted": 3})
        async with await service.state.broker.consumer(queue) as consumer:
            bodies = [one.body for one in await consumer.lease(10, 1.0)]
        assert bodies == [b'{"n":1}', b"\x00\x01"], "a repeat is dropped by the broker"
        for wrong, words in (
            ({"events": [{"id": "a b", "body": 1}]}, "is not allowed"),
            ({"events": [raw | {"body": "*"}]}, "is not base64"),
            ({"events": [event], "queue": "nope"}, "name one of numbers"),
        ):
            refused = await http.post(f"{path}/events", json=wrong)
            assert (refused.status_code, words in refused.json()["error"]) == (400, True), refused.text
        assert (await http.post(f"{path}/actions/finish")).status_code == 200
        assert (await http.post(f"{path}/events", json={"events": [event]})).status_code == 409


@pytest.mark.parametrize("is_open", [True, False])
async def test_queues_tell_depth_and_rate(tmp_path: Path, is_open: bool) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        workflow_id = await submitted(http, open=is_open)
        path = f"/api/workflows/{workflow_id}/queues"
        assert [queue["kind"] for queue in (await http.get(path)).json()["items"]] == ["task"]
        channels = Queues.of(workflow_id)
        for name in (channels.work, channels.reports):
            await service.state.broker.declare(name, 5.0)
        await service.state.broker.publish(channels.work, b"1", "1")
        await drive(service.state, workflow_id)
        queues = {queue["name"]: queue for queue in (await http.get(path)).json()["items"]}
        assert (queues["numbers"]["ready"], queues["numbers"]["rate"]) == (1, None)
        assert (queues["work"]["ready"], queues["work"]["leased"]) == (1, 0)

        async def is_measured() -> bool:
            return any(queue["rate"] is not None for queue in (await http.get(path)).json()["items"])

        await until(is_measured, "a rate")

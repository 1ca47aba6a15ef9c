"""What became of events: outcomes as a stream, failures by cause, dead letters with replay, logs, histories."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import httpx2
import msgspec

from ewms.blobs import BlobRef
from ewms.core.service.workflow import WorkflowDocument
from ewms.core.wire import WireOutput
from ewms.stores.base import Accepted, Batch
from ewms.stores.collections import WORKFLOWS
from tests.support.driven import REASON, accept, change, drive
from tests.support.service import RunningService, running_service
from tests.support.submissions import submitted


async def driven(service: RunningService, http: httpx2.AsyncClient) -> str:
    """The path of a workflow that was driven for a while."""
    workflow_id = await submitted(http)
    await drive(service.state, workflow_id)
    return f"/api/workflows/{workflow_id}"


async def test_before_a_driver_host_comes_there_is_nothing(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        path = f"/api/workflows/{await submitted(http)}"
        assert (await http.get(f"{path}/outcomes")).text == ""
        for listing in ("failures", "dead-letters", "logs"):
            assert (await http.get(f"{path}/{listing}")).json() == {"items": [], "after": None, "total": 0}
        assert (await http.get(f"{path}/events/double/e1")).status_code == 404
        assert (await http.post(f"{path}/dead-letters/replay", json={})).json()["letters"] == 0


async def test_outcomes_are_lines_and_go_on_where_they_ended(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        path = await driven(service, http)
        lines = [json.loads(line) for line in (await http.get(f"{path}/outcomes")).text.splitlines()]
        assert lines == [
            {"order": 1, "id": "e1", "task": "double", "many": False, "outputs": [2], "reason": None},
            {"order": 2, "id": "e2", "task": "double", "many": False, "outputs": [], "reason": REASON},
        ]
        assert len((await http.get(f"{path}/outcomes", params={"after": 1})).text.splitlines()) == 1


async def test_outcomes_are_followed_until_the_end(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        path = await driven(service, http)
        workflow_id = path.rpartition("/")[2]
        async with http.stream("GET", f"{path}/outcomes", params={"after": 2, "follow": True}) as answer:
            await accept(service.state, workflow_id, 3, 3, 6, b"\x00raw")
            lines = answer.aiter_lines()
            line = json.loads(await anext(lines))
            assert (line["order"], line["outputs"], line["codecs"]) == (3, [6, "AHJhdw=="], ["json", "bytes"])
            await change(service.state, workflow_id, {"state": "complete"})
            assert [line async for line in lines if line] == []


async def test_failures_are_put_together_by_cause(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        path = await driven(service, http)
        (cluster,) = (await http.get(f"{path}/failures")).json()["items"]
        assert (cluster["task"], cluster["attempts"], cluster["events"], cluster["dead"]) == ("double", 2, 1, 1)
        assert cluster["cause"] == "ValueError: '…' is no number"


async def test_logs_and_histories_hold_what_attempts_left(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        path = await driven(service, http)
        page = (await http.get(f"{path}/logs", params={"limit": 1})).json()
        assert (page["total"], page["after"], page["items"][0]["stderr"]) == (2, "1", "warning 1")
        page = (await http.get(f"{path}/logs", params={"limit": 1, "after": page["after"], "event": "e2"})).json()
        assert (page["after"], page["items"][0]["stderr"]) == (None, "warning 2")
        assert (await http.get(f"{path}/logs", params={"task": "nope"})).status_code == 400
        history = (await http.get(f"{path}/events/double/e2")).json()
        assert (history["state"], history["body"], len(history["attempts"])) == ("dead", "two", 2)
        assert (await http.get(f"{path}/events/double/e1")).json()["outputs"] == [2]
        assert (await http.get(f"{path}/events/double/e3")).json()["state"] == "unfinished"
        for place in ("double/e9", "nope/e1"):
            assert (await http.get(f"{path}/events/{place}")).status_code == 404


async def test_letters_are_listed_and_tried_again(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        path = await driven(service, http)
        listing = (await http.get(f"{path}/dead-letters")).json()
        assert (listing["total"], listing["after"]) == (1, None)
        assert (listing["items"][0]["id"], len(listing["items"][0]["history"])) == ("e2", 2)
        workflow_id = path.rpartition("/")[2]
        await change(service.state, workflow_id, {"state": "complete"})
        answer = await http.post(f"{path}/dead-letters/replay", json={"event_ids": ["e2"]})
        assert answer.json()["letters"] == 1
        stored = await service.state.store.get(WORKFLOWS, workflow_id)
        assert stored is not None
        document = WorkflowDocument.model_validate(stored.body)
        assert (document.state, document.replay[0].event_ids) == ("pending", ("e2",))
        assert document.replay[0].request_id == answer.json()["request_id"]
        assert (await http.post(f"{path}/dead-letters/replay", json={"event_ids": ["e1"]})).status_code == 400
        phases = [entry["state"] for entry in (await http.get(f"{path}/phases")).json()["items"]]
        assert phases[-1] == "pending"


async def test_a_reference_to_a_file_of_the_service_is_not_followed(tmp_path: Path) -> None:
    """A pilot runs anybody's code, so what it reports may name any place."""
    async with running_service(tmp_path) as service, service.client() as http:
        path = await driven(service, http)
        workflow_id = path.rpartition("/")[2]
        secret = tmp_path / "secrets" / "other.token"
        await asyncio.to_thread(_report_reference, service, workflow_id, secret)
        text = (await http.get(f"{path}/outcomes", params={"after": 2})).text
        assert "is not followed" in json.loads(text)["unreadable"]
        assert "is not followed" in (await http.get(f"{path}/events/double/e3")).text


def _report_reference(service: RunningService, workflow_id: str, secret: Path) -> None:
    secret.parent.mkdir(exist_ok=True)
    secret.write_text("secret")
    digest = hashlib.sha256(b"secret").hexdigest()
    reference = msgspec.msgpack.encode(BlobRef(url=str(secret), sha256=digest, size=6))
    output = msgspec.msgpack.encode([WireOutput("@bytes", reference)])
    with service.state.store.journal(workflow_id) as journal:
        journal.commit(Batch(accepted=[Accepted(3, 3, output, False)]))

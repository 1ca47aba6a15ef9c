"""Changes reach listeners as server-sent events, each once, and a listener that comes back goes on where it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2

from tests.support.conditions import until
from tests.support.driven import accept, change, drive
from tests.support.service import running_service
from tests.support.submissions import submitted


class Told(NamedTuple):
    """One event of a stream."""

    kind: str
    identity: str
    data: Any


async def told(answer: httpx2.Response) -> AsyncIterator[Told]:
    """The events of a stream."""
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            yield Told(fields["event"], fields.get("id", ""), json.loads(fields["data"]))
            fields = {}


async def next_workflow(events: AsyncIterator[Told]) -> Told:
    """The next event that is a workflow."""
    async with asyncio.timeout(10):
        while (event := await anext(events)).kind != "workflow":
            pass
        return event


async def test_a_workflow_is_followed_to_its_end(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        workflow_id = await submitted(http)
        async with http.stream("GET", f"/api/workflows/{workflow_id}/stream") as answer:
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            events = told(answer)
            first = await next_workflow(events)
            assert (first.data["workflow_id"], first.data["state"]) == (workflow_id, "pending")
            await drive(service.state, workflow_id)
            seen = await next_workflow(events)
            assert (seen.data["state"], seen.data["counts"]) == ("running", {"accepted": 2})
            await change(service.state, workflow_id, {"state": "complete"})
            last = await next_workflow(events)
            assert last.data["state"] == "complete"
            assert [event async for event in events if event.kind == "workflow"] == []
        repeated = await http.get(f"/api/workflows/{workflow_id}/stream", headers={"Last-Event-ID": last.identity})
        assert repeated.text == "", "it has nothing new, and has ended"


async def test_all_workflows_are_followed_and_a_listener_comes_back(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        workflow_id = await submitted(http)
        async with http.stream("GET", "/api/stream") as answer:
            events = told(answer)
            assert (await anext(events)).kind == "reset", "it knows nothing yet: it lists first"
            await drive(service.state, workflow_id)
            seen = await next_workflow(events)
            while seen.data["state"] != "running":
                seen = await next_workflow(events)
            assert seen.data["tasks"]["double"]["terminal"] == 2
        await accept(service.state, workflow_id, 3, 3, 6)
        async with http.stream("GET", "/api/stream", headers={"Last-Event-ID": seen.identity}) as answer:
            again = await next_workflow(told(answer))
            assert (again.data["workflow_id"], again.data["counts"]) == (workflow_id, {"accepted": 3})
        async with http.stream("GET", "/api/stream", headers={"Last-Event-ID": "other-1"}) as answer:
            assert (await anext(told(answer))).kind == "reset", "of another life of the service"


async def test_a_lost_signal_costs_a_second(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        workflow_id = await submitted(http)
        async with http.stream("GET", f"/api/workflows/{workflow_id}/stream") as answer:
            events = told(answer)
            await next_workflow(events)
            with_news, service.state.news.publish = service.state.news.publish, _nobody_hears  # type: ignore[method-assign]
            await change(service.state, workflow_id, {"state": "running"})
            assert (await next_workflow(events)).data["state"] == "running"
            service.state.news.publish = with_news  # type: ignore[method-assign]


async def _nobody_hears(kind: str, key: str) -> None:
    """Signals may be lost."""


async def test_streams_and_long_polls_end_with_the_service(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        workflow_id = await submitted(http)
        revision = (await http.get("/api/tms/here/plan")).json()["revision"]
        waiting = [
            asyncio.create_task(http.get(path, params=query))
            for path, query in (
                ("/api/stream", {}),
                (f"/api/workflows/{workflow_id}/stream", {}),
                (f"/api/workflows/{workflow_id}/outcomes", {"follow": "true"}),
                ("/api/tms/here/plan", {"after": str(revision)}),
            )
        ]

        async def all_wait() -> bool:
            return "ewms_requests_under_way 5.0" in (await http.get("/metrics")).text

        await until(all_wait, "four listeners beside the question itself")
        service.stop()
        answers = await asyncio.wait_for(asyncio.gather(*waiting), 5)
        assert {answer.status_code for answer in answers} == {200}


async def test_a_page_is_told_what_changes_and_stays_beyond_the_end(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service, service.client() as http:
        workflow_id = await submitted(http)
        await drive(service.state, workflow_id)
        await change(service.state, workflow_id, {"state": "complete"})
        manner = {"every": "0.1", "summary": "true", "stay": "true"}
        async with (
            http.stream("GET", f"/api/workflows/{workflow_id}/stream", params=manner) as answer,
            http.stream("GET", "/api/stream", params={"every": "0.1"}) as everything,
        ):
            events, listed = told(answer), told(everything)
            first = await next_workflow(events)
            assert (first.data["state"], first.data["version"]) == ("complete", int(first.identity))
            assert "spec" not in first.data
            version = first.data["version"]
            for number in ("1", "2"):
                await http.patch(f"/api/workflows/{workflow_id}", json={"labels": {"try": number}})
                labels = None
                while labels != {"try": number}:
                    seen = await next_workflow(events)
                    assert seen.data["version"] > version, "nothing is told twice"
                    version, labels = seen.data["version"], seen.data["labels"]
            while (seen := await next_workflow(listed)).data["labels"] != {"try": "2"}:
                pass

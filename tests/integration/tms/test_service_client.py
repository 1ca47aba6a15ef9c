"""What the TMS makes of the service's answers, and of none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from fastapi import HTTPException

from ewms.core.errors import EwmsError, Forbidden, NotFound
from ewms.core.service.phases import Phase
from ewms.core.service.report import ClusterReport
from ewms.tms.backend import Standing, Submitted
from ewms.tms.service import ServiceRefused, ServiceUnavailable
from ewms.tms.service_client import ServiceClient
from tests.support.scripted_service import TOKEN, ScriptedService
from tests.support.taskforces import taskforce

SUBMITTED = Submitted(cluster_id=7, workers=2, submit_dict={"queue": 2}, event_log="/log")


@pytest.fixture
async def client(service: ScriptedService) -> AsyncIterator[ServiceClient]:
    async with ServiceClient(service.url, "here", lambda: TOKEN) as client:
        yield client


async def test_the_plan_comes_when_it_changes(client: ServiceClient, service: ScriptedService) -> None:
    first = await client.plan(None)
    assert first.orders == ()
    await service.put(taskforce("TF-1", 2))
    second = await client.plan(first.revision)
    assert [order.taskforce.taskforce_uuid for order in second.orders] == ["TF-1"]


async def test_confirmations_arrive_whole(client: ServiceClient, service: ScriptedService) -> None:
    await service.put(taskforce("TF-1", 2))
    await client.report_submit_failure("TF-1", "no room")
    assert service.taskforces["TF-1"].reason == "no room"
    await client.confirm_submit("TF-1", SUBMITTED)
    stored = service.taskforces["TF-1"]
    assert (stored.cluster_id, stored.submit_dict, stored.job_event_log_fpath) == (7, {"queue": 2}, "/log")
    standing = Standing(taskforce_uuid="TF-1", compound_statuses={"IDLE": {"null": 2}}, top_task_errors={})
    await client.tell_standings([standing])
    assert service.taskforces["TF-1"].compound_statuses == {"IDLE": {"null": 2}}
    await client.report(ClusterReport(ready=True, batches=1, workers=2))
    assert service.reports == [ClusterReport(ready=True, batches=1, workers=2)]
    await service.change("TF-1", phase=Phase.PENDING_STOPPER)
    await client.confirm_removal("TF-1")
    await client.confirm_completion("TF-1", 1700000000.7)
    assert service.taskforces["TF-1"].phase is Phase.CONDOR_COMPLETE


async def test_what_the_service_does_not_know_is_not_found(client: ServiceClient) -> None:
    with pytest.raises(NotFound):
        await client.pilot("TF-unknown")
    with pytest.raises(NotFound):
        await client.confirm_submit("TF-unknown", SUBMITTED)


@pytest.mark.parametrize(
    ("code", "error"),
    [(500, ServiceUnavailable), (503, ServiceUnavailable), (429, ServiceUnavailable), (409, ServiceUnavailable),
     (403, Forbidden), (400, ServiceRefused), (422, ServiceRefused)],
)  # fmt: skip
async def test_answers_are_understood(
    client: ServiceClient, service: ScriptedService, code: int, error: type[EwmsError]
) -> None:
    async def answer() -> None:
        raise HTTPException(code)

    service.before["/"] = answer
    with pytest.raises(error, match="as scripted"):
        await client.report(ClusterReport(ready=True))


async def test_a_wrong_token_is_said_but_not_shown(service: ScriptedService) -> None:
    async with ServiceClient(service.url, "here", lambda: "hunter2") as client:
        with pytest.raises(Forbidden, match="role tms") as caught:
            await client.plan(None)
    assert "hunter2" not in str(caught.value)


async def download(client: ServiceClient) -> None:
    async with client.download("WF-1", "code/a.py") as chunks:
        async for _ in chunks:
            continue


CALLS: list[Callable[[ServiceClient], Coroutine[Any, Any, Any]]] = [
    lambda client: client.plan(None),
    lambda client: client.pilot("TF-1"),
    lambda client: client.confirm_removal("TF-1"),
    download,
]


@pytest.mark.parametrize("call", CALLS)
async def test_without_a_service_it_is_a_delay(
    client: ServiceClient, service: ScriptedService, call: Callable[[ServiceClient], Coroutine[Any, Any, Any]]
) -> None:
    await service.stop()
    with pytest.raises(ServiceUnavailable, match=r"127\.0\.0\.1"):
        await call(client)


async def test_a_document_of_another_version_is_named_without_its_values(
    client: ServiceClient, service: ScriptedService
) -> None:
    service.pilot = service.pilot.model_copy(update={"slots": "many secrets"})
    await service.put(taskforce("TF-1"))
    with pytest.raises(ServiceRefused, match="PilotConfig") as caught:
        await client.pilot("TF-1")
    assert "many secrets" not in str(caught.value)

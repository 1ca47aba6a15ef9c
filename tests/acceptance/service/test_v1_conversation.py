"""What EWMS's TMS and its WMS say to each other, by EWMS's routes: every phase, every 404, and nothing told twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ewms.core.service.phases import WorkflowState
from tests.support.ewms_v1 import OSG, EwmsClient, a_request, eventually, play_driver
from tests.support.service import RunningService, running_service

SUBMITTED = {
    "cluster_id": 123456,
    "n_workers": 5600,
    "submit_dict": {"foo": 123, "bar": "abc"},
    "job_event_log_fpath": "/home/2026-11-23.tms.jel",
}
STARTER = "/v1/tms/pending-starter/taskforces?schedd=ap.example.org"
STOPPER = "/v1/tms/pending-stopper/taskforces?schedd=ap.example.org"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[RunningService]:
    async with running_service(tmp_path, access={"anonymous": True}, clusters=OSG) as service:
        yield service


@pytest.fixture
async def ewms(service: RunningService) -> AsyncIterator[EwmsClient]:
    async with service.client() as http:
        yield EwmsClient(http)


async def requested(ewms: EwmsClient, **task: Any) -> tuple[str, str, str]:
    """A new workflow, with its task and taskforce."""
    made = await ewms.post("/v1/workflows", a_request(**task))
    return made["workflow"]["workflow_id"], made["taskforces"][0]["task_id"], made["taskforces"][0]["taskforce_uuid"]


async def pending(service: RunningService, ewms: EwmsClient) -> tuple[str, str, str]:
    """One whose taskforce is to be submitted."""
    workflow, task, taskforce = await requested(ewms)
    await play_driver(service.state, workflow)
    await ewms.in_phase(taskforce, "pending-starter")
    return workflow, task, taskforce


def phases(taskforce: dict[str, Any]) -> list[str]:
    return [entry["target_phase"] for entry in taskforce["phase_change_log"] if entry["was_successful"]]


async def test_the_whole_conversation(service: RunningService, ewms: EwmsClient) -> None:
    workflow, task, uuid = await requested(ewms)
    taskforce = await ewms.taskforce(uuid)
    assert taskforce["phase"] == "pre-mq-activation"
    assert phases(taskforce) == ["pre-mq-activation"]
    assert await ewms.get(STARTER) == {}

    await play_driver(service.state, workflow)
    await ewms.in_phase(uuid, "pending-starter")
    offered = await ewms.get(STARTER)
    assert offered["taskforce"]["taskforce_uuid"] == uuid
    assert offered["taskforce"]["n_workers"] == 1000
    assert offered["task_directive"]["task_id"] == task
    queues = {*offered["task_directive"]["input_queues"], *offered["task_directive"]["output_queues"]}
    assert {profile["mqid"] for profile in offered["mqprofiles"]} == queues
    assert await ewms.get("/v1/tms/pending-starter/taskforces?schedd=elsewhere.org") == {}

    assert await ewms.post(f"/v1/tms/condor-submit/taskforces/{uuid}", SUBMITTED) == {"taskforce_uuid": uuid}
    taskforce = await ewms.taskforce(uuid)
    assert taskforce["phase"] == "condor-submit"
    assert {key: taskforce[key] for key in SUBMITTED} == SUBMITTED
    assert await ewms.get(STARTER) == {}

    statuses = {"RUNNING": {"Tasking": 7, "null": 1}, "HELD: no space": {"null": 2}}
    body = {"compound_statuses_by_taskforce": {uuid: statuses}, "top_task_errors_by_taskforce": {uuid: {"boom": 3}}}
    assert await ewms.post("/v1/tms/statuses/taskforces", body) == {"results": [{"uuid": uuid, "status": "updated"}]}
    taskforce = await ewms.taskforce(uuid)
    assert (taskforce["compound_statuses"], taskforce["top_task_errors"]) == (statuses, {"boom": 3})

    ended = await ewms.post(f"/v1/workflows/{workflow}/actions/finished")
    assert ended == {"workflow_id": workflow, "n_taskforces": 1}
    stopping = await ewms.get(STOPPER)
    assert (stopping["taskforce_uuid"], stopping["phase"]) == (uuid, "pending-stopper")
    await ewms.post(f"/v1/tms/condor-rm/taskforces/{uuid}")
    assert (await ewms.taskforce(uuid))["phase"] == "condor-rm"
    assert await ewms.get(STOPPER) == {}
    await ewms.post(f"/v1/tms/condor-complete/taskforces/{uuid}", {"condor_complete_ts": 1700000000})

    taskforce = await ewms.taskforce(uuid)
    in_order = ["pre-mq-activation", "pre-launch", "pending-starter", "condor-submit", "pending-stopper"]
    assert phases(taskforce) == [*in_order, "condor-rm", "condor-complete"]
    assert taskforce["phase_change_log"][-1]["source_event_time"] == 1700000000
    seen = await ewms.get(f"/v1/workflows/{workflow}")
    assert seen["deactivated"] == "FINISHED"
    assert seen["deactivated_ts"] >= seen["timestamp"]


async def test_what_is_not_there_is_not_found(service: RunningService, ewms: EwmsClient) -> None:
    for path in ("workflows/WF-0-0", "task-directives/TK-0-0-0", "taskforces/TF-0-0-0-0"):
        await ewms.get(f"/v1/{path}", 404)
    for action in ("abort", "finished"):
        await ewms.post(f"/v1/workflows/WF-0-0/actions/{action}", expected=404)
    for path, body in (
        ("condor-submit/taskforces/TF-0", SUBMITTED),
        ("condor-submit/taskforces/TF-0/failed", {"error": "no"}),
        ("condor-rm/taskforces/TF-0", None),
        ("condor-rm/taskforces/TF-0/failed", {"error": "no"}),
        ("condor-complete/taskforces/TF-0", {"condor_complete_ts": 1}),
    ):
        await ewms.post(f"/v1/tms/{path}", body, 404)


async def test_a_submission_is_confirmed_only_while_it_is_awaited(service: RunningService, ewms: EwmsClient) -> None:
    workflow, _, uuid = await requested(ewms)
    await ewms.post(f"/v1/tms/condor-submit/taskforces/{uuid}", SUBMITTED, 404)
    await ewms.post(f"/v1/tms/condor-submit/taskforces/{uuid}/failed", {"error": "no"}, 404)
    await play_driver(service.state, workflow)
    await ewms.in_phase(uuid, "pending-starter")
    await ewms.post(f"/v1/workflows/{workflow}/actions/abort")
    await ewms.post(f"/v1/tms/condor-submit/taskforces/{uuid}", SUBMITTED, 404)


async def test_a_workflow_is_deactivated_once(service: RunningService, ewms: EwmsClient) -> None:
    workflow, *_ = await requested(ewms)
    await ewms.post(f"/v1/workflows/{workflow}/actions/abort")
    for action in ("abort", "finished"):
        await ewms.post(f"/v1/workflows/{workflow}/actions/{action}", expected=404)
    assert (await ewms.get(f"/v1/workflows/{workflow}"))["deactivated"] == "ABORTED"


async def test_repeated_confirmations_do_not_make_the_log_grow(service: RunningService, ewms: EwmsClient) -> None:
    workflow, _, uuid = await pending(service, ewms)
    for _ in range(3):
        await ewms.post(f"/v1/tms/condor-submit/taskforces/{uuid}", SUBMITTED)
    await ewms.post(f"/v1/workflows/{workflow}/actions/abort")
    for _ in range(3):
        await ewms.post(f"/v1/tms/condor-rm/taskforces/{uuid}")
    for _ in range(3):
        await ewms.post(f"/v1/tms/condor-complete/taskforces/{uuid}", {"condor_complete_ts": 1700000000})
    taskforce = await ewms.taskforce(uuid)
    assert len(taskforce["phase_change_log"]) == 7
    assert [entry for entry in taskforce["phase_change_log"] if entry["source_event_time"]] == taskforce["phase_change_log"][
        -1:
    ]


async def test_exhausted_submit_retries_reach_an_end_state_with_a_reason(service: RunningService, ewms: EwmsClient) -> None:
    _, task, uuid = await pending(service, ewms)
    for _ in range(3):
        assert (await ewms.get(STARTER))["taskforce"]["taskforce_uuid"] == uuid
        await ewms.post(f"/v1/tms/condor-submit/taskforces/{uuid}/failed", {"error": "no accounting group"})
    taskforce = await ewms.taskforce(uuid)
    assert taskforce["phase"] == "condor-complete"
    assert [entry["was_successful"] for entry in taskforce["phase_change_log"][-4:]] == [False, False, False, True]
    assert taskforce["phase_change_log"][-1]["context"] == "given up after 3 refused submissions: no accounting group"

    async def successor() -> Any:
        found = await ewms.post("/v1/query/taskforces", {"query": {"task_id": task, "phase": "pending-starter"}})
        return found["taskforces"]

    assert (await eventually(successor, "another try"))[0]["taskforce_uuid"] != uuid


async def test_never_submitted_taskforces_reach_an_end_state_with_a_reason(
    service: RunningService, ewms: EwmsClient
) -> None:
    for drive in (False, True):
        workflow, _, uuid = await requested(ewms)
        if drive:
            await play_driver(service.state, workflow)
            await ewms.in_phase(uuid, "pending-starter")
        await ewms.post(f"/v1/workflows/{workflow}/actions/abort")
        taskforce = await ewms.taskforce(uuid)
        assert taskforce["phase"] == "condor-complete"
        assert taskforce["phase_change_log"][-1]["context"].startswith("never submitted: its workflow was aborted")


async def test_a_stop_failure_may_come_with_an_error_without_one_or_without_a_body(
    service: RunningService, ewms: EwmsClient
) -> None:
    workflow, _, uuid = await pending(service, ewms)
    await ewms.post(f"/v1/tms/condor-submit/taskforces/{uuid}", SUBMITTED)
    await ewms.post(f"/v1/workflows/{workflow}/actions/abort")
    for body in (None, {}, {"error": "schedd away"}, {"error": "schedd away"}):
        await ewms.post(f"/v1/tms/condor-rm/taskforces/{uuid}/failed", body)
    taskforce = await ewms.get(STOPPER)
    refusals = [entry["context"] for entry in taskforce["phase_change_log"] if not entry["was_successful"]]
    assert refusals == ["no reason was given", "schedd away"]


async def test_statuses_of_unknown_taskforces_are_told_apart(service: RunningService, ewms: EwmsClient) -> None:
    _, _, uuid = await pending(service, ewms)
    body = {"compound_statuses_by_taskforce": {uuid: {"IDLE": {"null": 1}}, "TF-0": {}}}
    results = (await ewms.post("/v1/tms/statuses/taskforces", body, 207))["results"]
    assert {result["uuid"]: result["status"] for result in results} == {uuid: "updated", "TF-0": "failed"}
    assert next(result["error"] for result in results if result["uuid"] == "TF-0")
    await ewms.post("/v1/tms/statuses/taskforces", {}, 400)


async def test_the_most_urgent_taskforce_is_offered_first(service: RunningService, ewms: EwmsClient) -> None:
    _, task, first = await pending(service, ewms)
    added = await ewms.post(
        f"/v1/task-directives/{task}/actions/add-workers", {"cluster_location": "sub-2", "n_workers": 10}
    )
    assert added["priority"] == 150
    await ewms.in_phase(added["taskforce_uuid"], "pending-starter")
    offered = await ewms.get(STARTER)
    assert (offered["taskforce"]["taskforce_uuid"], offered["taskforce"]["n_workers"]) == (added["taskforce_uuid"], 10)
    await ewms.post(f"/v1/tms/condor-submit/taskforces/{added['taskforce_uuid']}/failed", {"error": "no"})
    assert (await ewms.get(STARTER))["taskforce"]["priority"] == 150
    await ewms.post(f"/v1/tms/condor-submit/taskforces/{added['taskforce_uuid']}", SUBMITTED)
    assert (await ewms.get(STARTER))["taskforce"]["taskforce_uuid"] == first


async def test_a_batch_that_was_removed_behind_everybodys_back_is_replaced(
    service: RunningService, ewms: EwmsClient
) -> None:
    _, task, uuid = await pending(service, ewms)
    await ewms.post(f"/v1/tms/condor-submit/taskforces/{uuid}", SUBMITTED)
    await ewms.post(f"/v1/tms/condor-complete/taskforces/{uuid}", {"condor_complete_ts": 1700000000})
    assert "removed at the backend" in (await ewms.taskforce(uuid))["phase_change_log"][-1]["context"]

    async def successor() -> Any:
        offered = await ewms.get(STARTER)
        return offered.get("taskforce")

    replacement = await eventually(successor, "its successor")
    assert replacement["task_id"] == task
    assert replacement["n_workers"] == 1000
    assert replacement["phase_change_log"][0]["context"] == f"takes the place of {uuid}"


async def test_the_end_of_a_workflow_stops_its_taskforces(service: RunningService, ewms: EwmsClient) -> None:
    workflow, _, uuid = await pending(service, ewms)
    await ewms.post(f"/v1/tms/condor-submit/taskforces/{uuid}", SUBMITTED)
    await play_driver(service.state, workflow, state=WorkflowState.FAILED, reason="no application", active=False)
    taskforce = await ewms.in_phase(uuid, "pending-stopper")
    assert taskforce["phase_change_log"][-1]["context"] == "its workflow failed: no application"

"""What users of `/v1` may ask for, and what they are told where they may not; each of EWMS's defects by name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.collections import WORKFLOWS
from tests.support.ewms_v1 import OSG, README_REQUEST, EwmsClient, a_request, play_driver
from tests.support.service import RunningService, running_service

FULL_WORKER = {
    "do_transfer_worker_stdouterr": False,
    "max_worker_runtime": 3600,
    "n_cores": 4,
    "priority": 1,
    "worker_disk": "1G",
    "worker_memory": 536870912,
    "condor_requirements": 'has_avx =?= true && stringListMember(Site, "a,b")',
}
CLUSTERS = OSG | {"two": {"backend": "local", "schedd": "ap2.example.org"}}
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningService]:
    folder = tmp_path_factory.mktemp("service")
    async with running_service(folder, access={"anonymous": True}, clusters=CLUSTERS) as service:
        yield service


@pytest_asyncio.fixture(loop_scope="module")
async def ewms(service: RunningService) -> AsyncIterator[EwmsClient]:
    async with service.client() as http:
        yield EwmsClient(http)


async def stored(service: RunningService, made: dict[str, Any]) -> WorkflowDocument:
    found = await service.state.store.get(WORKFLOWS, made["workflow"]["workflow_id"])
    assert found is not None
    return WorkflowDocument.model_validate(found.body)


async def test_the_readmes_example_is_accepted(ewms: EwmsClient) -> None:
    made = await ewms.post("/v1/workflows", README_REQUEST)
    (taskforce,) = made["taskforces"]
    assert (taskforce["n_workers"], taskforce["schedd"], taskforce["collector"]) == (1000, "ap.example.org", None)
    assert taskforce["worker_config"]["condor_requirements"] == ""
    assert taskforce["pilot_config"] == {"tag": "latest", "image_source": "cvmfs", "environment": {}, "input_files": []}
    (directive,) = made["task_directives"]
    assert (directive["task_env"], directive["init_image"], directive["init_args"], directive["init_env"]) == (
        {},
        "",
        "",
        {},
    )


async def test_a_full_request_is_kept_as_it_was_given(service: RunningService, ewms: EwmsClient) -> None:
    pilot = {"tag": "1.2.3", "image_source": "auto", "environment": {"A": 1, "B": ["x", "y"]}, "input_files": []}
    task = {
        "cluster_locations": ["OSG", "two"],
        "task_env": {"X": "1"},
        "init_image": "img",
        "init_args": "--fill {{DATA_HUB}}",
        "init_env": {"foo": "bar"},
        "worker_config": FULL_WORKER,
        "pilot_config": pilot,
    }
    made = await ewms.post("/v1/workflows", a_request(**task))
    assert [taskforce["pilot_config"] for taskforce in made["taskforces"]] == [pilot, pilot]
    assert [taskforce["worker_config"] for taskforce in made["taskforces"]] == [FULL_WORKER, FULL_WORKER]
    (directive,) = made["task_directives"]
    assert {key: directive[key] for key in task if key in directive} == {k: v for k, v in task.items() if k in directive}
    (spec,) = (await stored(service, made)).spec.tasks
    assert spec.container is not None
    assert spec.container.init is not None
    assert spec.container.init.arguments == ("--fill", "{{DATA_HUB}}")


async def test_ids_are_hierarchical(ewms: EwmsClient) -> None:
    made = await ewms.post("/v1/workflows", README_REQUEST)
    body = made["workflow"]["workflow_id"].removeprefix("WF-")
    assert made["task_directives"][0]["task_id"].startswith(f"TK-{body}-")
    assert made["taskforces"][0]["taskforce_uuid"].startswith(
        made["task_directives"][0]["task_id"].replace("TK", "TF") + "-"
    )


@pytest.mark.parametrize("priority", [0, 7, 50, 100, 250])
async def test_priority_is_kept_as_given_without_a_floor(ewms: EwmsClient, priority: int) -> None:
    made = await ewms.post("/v1/workflows", README_REQUEST | {"priority": priority})
    assert made["workflow"]["priority"] == made["taskforces"][0]["priority"] == priority


async def test_priority_defaults_to_50(ewms: EwmsClient) -> None:
    assert (await ewms.post("/v1/workflows", README_REQUEST))["workflow"]["priority"] == 50


async def test_missing_n_workers_is_left_to_the_scheduler(ewms: EwmsClient) -> None:
    made = await ewms.post("/v1/workflows", a_request(n_workers=None))
    assert made["taskforces"][0]["n_workers"] is None


@pytest.mark.parametrize("given", [{}, {"tag": "2.0.0"}, {"environment": {"EWMS_PILOT_TASK_TIMEOUT": "60"}}])
async def test_each_key_of_pilot_config_has_its_default(ewms: EwmsClient, given: dict[str, Any]) -> None:
    made = await ewms.post("/v1/workflows", a_request(pilot_config=given))
    defaults = {"tag": "latest", "image_source": "cvmfs", "environment": {}, "input_files": []}
    assert made["taskforces"][0]["pilot_config"] == defaults | given


async def test_settings_of_the_pilot_reach_the_task(service: RunningService, ewms: EwmsClient) -> None:
    environment = {
        "EWMS_PILOT_TASK_TIMEOUT": 90,
        "EWMS_PILOT_INFILE_EXT": "json",
        "EWMS_PILOT_OUTFILE_EXT": ".json",
        "EWMS_PILOT_EXTERNAL_DIRECTORIES": "/cvmfs,/data",
        "EWMS_PILOT_MAX_CONCURRENT_TASKS": "4",
    }
    made = await ewms.post("/v1/workflows", a_request(pilot_config={"environment": environment}, task_args="cp 'a b' c"))
    (task,) = (await stored(service, made)).spec.tasks
    assert (task.timeout, task.infile_suffix, task.outfile_suffix) == (90, ".json", ".json")
    assert task.container is not None
    assert task.container.mounts == ("/cvmfs", "/data")
    assert task.container.arguments == ("cp", "a b", "c")


@pytest.mark.parametrize(
    ("task", "telling"),
    [
        ({"worker_config": FULL_WORKER | {"worker_memory": "lots"}}, "'lots' is not a size"),
        ({"worker_config": FULL_WORKER | {"worker_disk": "12 parsec"}}, "'12 parsec' is not a size"),
        ({"worker_config": FULL_WORKER | {"worker_memory": 12}}, "12 bytes"),
        ({"worker_config": FULL_WORKER | {"condor_requirements": "bar && (baz"}}, "( is not closed"),
        ({"worker_config": FULL_WORKER | {"condor_requirements": "a &&"}}, "ClassAd"),
        ({"worker_config": FULL_WORKER | {"n_cores": "4"}}, "n_cores"),
        ({"worker_config": FULL_WORKER | {"n_gpus": 1}}, "unknown key 'tasks.0.worker_config.n_gpus'"),
        ({"pilot_config": {"input_files": ["/etc/passwd"]}}, "'/etc/passwd' was not"),
        ({"pilot_config": {"tag": "1.2.3-and-more\n"}}, "tag"),
        ({"pilot_config": {"tag": "1.2.3.4"}}, "tag"),
        ({"pilot_config": {"tag": "1.2"}}, "tag"),
        ({"pilot_config": {"tag": "latest and greatest"}}, "tag"),
        ({"pilot_config": {"environment": {"EWMS_PILOT_TASK_IMAGE": "evil"}}}, "use tasks[0].task_image instead"),
        ({"pilot_config": {"environment": {"EWMS_PILOT_INIT_ENV_JSON": "{}"}}}, "use tasks[0].init_env instead"),
        ({"pilot_config": {"environment": {"EWMS_PILOT_TASK_TIMEOUT": "soon"}}}, "EWMS_PILOT_TASK_TIMEOUT is wrong"),
        ({"cluster_locations": ["osh"]}, "did you mean 'osg'?"),
        ({"cluster_locations": ["mars"]}, "cluster location 'mars' is unknown; known are OSG, osg, sub-2, two"),
        ({"cluster_locations": ["osg", "osg"]}, "in the list twice"),
        ({"cluster_locations": ["osg", "OSG"]}, "name osg twice"),
        ({"cluster_locations": []}, "cluster_locations"),
        ({"n_workers": 0}, "n_workers"),
        ({"task_args": 'cp "unclosed'}, "EWMS_PILOT_TASK_ARGS is wrong"),
        ({"task_image": ""}, "task_image"),
        ({"input_queue_aliases": []}, "tasks[0] reads no queue"),
        ({"input_queue_aliases": ["input-queue", "nobody-fills-this"]}, "'nobody-fills-this' is filled by no task"),
        ({"output_queue_aliases": []}, "public queue 'output-queue' is no input or output of a task"),
        ({"output_queue_aliases": ["output-queue", "input-queue"]}, "cycle"),
        ({"task_env": {"A": 1}}, "task_env"),
    ],
)
async def test_what_cannot_be_done_is_said_when_it_is_asked_for(
    service: RunningService, ewms: EwmsClient, task: dict[str, Any], telling: str
) -> None:
    before = await service.state.store.count(WORKFLOWS)
    assert telling in (await ewms.post("/v1/workflows", a_request(**task), 400))["error"]
    assert await service.state.store.count(WORKFLOWS) == before


@pytest.mark.parametrize("tag", ["1.2.3", "999.0.12", "latest", "some-branch-3f2a1b0", "v2.x_y-abc123"])
async def test_tags_of_the_pilot_as_ewms_has_them(ewms: EwmsClient, tag: str) -> None:
    made = await ewms.post("/v1/workflows", a_request(pilot_config={"tag": tag}))
    assert made["taskforces"][0]["pilot_config"]["tag"] == tag


@pytest.mark.parametrize("location", ["osg", "OSG", "sub-2"])
async def test_locations_and_their_aliases_come_from_the_configuration(ewms: EwmsClient, location: str) -> None:
    made = await ewms.post("/v1/workflows", a_request(cluster_locations=[location]))
    assert made["taskforces"][0]["schedd"] == "ap.example.org"
    assert made["task_directives"][0]["cluster_locations"] == [location]


async def test_tasks_are_joined_by_their_queues(service: RunningService, ewms: EwmsClient) -> None:
    request = a_request(output_queue_aliases=["odd name", "output-queue"])
    request["tasks"].append(
        request["tasks"][0] | {"input_queue_aliases": ["odd name", "extra"], "output_queue_aliases": ["final"]}
    )
    request["public_queue_aliases"] = ["input-queue", "output-queue", "extra"]
    made = await ewms.post("/v1/workflows", request)
    first, second = made["task_directives"]
    assert first["output_queues"][0] == second["input_queues"][0]
    document = await stored(service, made)
    assert len(document.spec.tasks) == 3  # one for each queue that is read
    assert set(document.public) == {"input-queue", "output-queue", "extra"}
    assert set(document.spec.inputs) == {"input-queue", "extra"}


async def test_two_readers_of_a_queue_are_refused(ewms: EwmsClient) -> None:
    request = a_request()
    request["tasks"].append(request["tasks"][0] | {"output_queue_aliases": []})
    assert "is read by both" in (await ewms.post("/v1/workflows", request, 400))["error"]


async def test_unknown_task_on_add_workers_is_not_found(ewms: EwmsClient) -> None:
    body = {"cluster_location": "osg", "n_workers": 1}
    await ewms.post("/v1/task-directives/TK-0-0-0/actions/add-workers", body, 404)


async def test_workers_are_added_anywhere_while_the_workflow_lives(service: RunningService, ewms: EwmsClient) -> None:
    made = await ewms.post("/v1/workflows", README_REQUEST)
    path = f"/v1/task-directives/{made['task_directives'][0]['task_id']}/actions/add-workers"
    added = await ewms.post(path, {"cluster_location": "two", "n_workers": 5})
    assert (added["phase"], added["n_workers"], added["priority"]) == ("pre-mq-activation", 5, 150)
    assert added["worker_config"] == made["taskforces"][0]["worker_config"]
    await play_driver(service.state, made["workflow"]["workflow_id"])
    await ewms.in_phase(added["taskforce_uuid"], "pending-starter")
    await ewms.post(path, {"cluster_location": "mars", "n_workers": 5}, 400)
    await ewms.post(path, {"cluster_location": "two"}, 400)
    assert (await ewms.post(path, {"cluster_location": "two", "n_workers": None}))["n_workers"] is None
    await ewms.post(f"/v1/workflows/{made['workflow']['workflow_id']}/actions/finished")
    await ewms.post(path, {"cluster_location": "two", "n_workers": 5}, 422)


async def test_queues_are_reserved_in_the_write_that_makes_their_workflow(ewms: EwmsClient) -> None:
    made = await ewms.post("/v1/workflows", README_REQUEST)
    workflow = made["workflow"]["workflow_id"]
    base = f"/v1/mqs/workflows/{workflow}"
    reserved = await ewms.post(f"{base}/mq-group/reservation", {"queue_aliases": ["input-queue"]})
    (directive,) = made["task_directives"]
    mqids = {*directive["input_queues"], *directive["output_queues"]}
    assert {profile["mqid"] for profile in reserved["mqprofiles"]} == mqids
    assert reserved["mqgroup"]["criteria"] is None
    assert await ewms.get(f"{base}/mq-group") == reserved["mqgroup"]
    for mqid in mqids:
        assert (await ewms.get(f"/v1/mqs/mq-profiles/{mqid}"))["is_activated"] is False
    await ewms.get("/v1/mqs/mq-profiles/a0", 404)
    await ewms.get("/v1/mqs/workflows/WF-0/mq-profiles/public", 404)


async def test_profiles_of_public_queues_have_credentials_once_they_are_activated(
    service: RunningService, ewms: EwmsClient
) -> None:
    request = a_request(output_queue_aliases=["output-queue", "inner"])
    made = await ewms.post("/v1/workflows", request)
    workflow = made["workflow"]["workflow_id"]
    path = f"/v1/mqs/workflows/{workflow}/mq-profiles/public"
    waiting = (await ewms.get(path))["mqprofiles"]
    assert [(profile["is_activated"], profile["auth_token"]) for profile in waiting] == [(False, None)] * 2
    await play_driver(service.state, workflow)
    profiles = (await ewms.get(path))["mqprofiles"]
    assert {profile["alias"] for profile in profiles} == {"input-queue", "output-queue"}
    assert all(profile["is_activated"] and profile["broker_address"] for profile in profiles)
    activated = await ewms.post(f"/v1/mqs/workflows/{workflow}/mq-group/activation", {"criteria": {"priority": 50}})
    assert activated["mqgroup"]["criteria"] == {"priority": 50}
    inner = next(profile for profile in activated["mqprofiles"] if profile["alias"] == "inner")
    assert (inner["is_activated"], inner["auth_token"], inner["broker_address"]) == (True, None, None)


async def test_roots_and_keys_are_there_for_everybody_who_asks(ewms: EwmsClient) -> None:
    assert await ewms.get("/v1/") == {}
    assert await ewms.get("/v1/mqs") == {}
    assert await ewms.get("/mqbroker-issuer/.well-known/jwks.json") == {"keys": []}

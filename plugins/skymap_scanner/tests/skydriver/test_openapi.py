"""Each route of SkyDriver against its OpenAPI document: what that allows is taken, and what is answered is as it says.

The document is read from the folder beside the checkout. `ROUTES` tells the essentials by itself, for a fresh clone.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.conditions import until

from .conftest import FINAL, PARTIAL, SHARED, Sky, event_of, scan_body

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTES: Mapping[str, tuple[int, ...]] = {
    "GET /": (200,),
    "POST /scans/find": (200, 400),
    "GET /scans/backlog": (200,),
    "POST /scan": (200, 400),
    "GET /scan-request/{scan_id}": (200, 404),
    "POST /scan/{scan_id}/actions/rescan": (200, 404),
    "POST /scan/{scan_id}/actions/add-workers": (200, 422, 500),
    "GET /scan/{scan_id}": (200, 404),
    "DELETE /scan/{scan_id}": (200, 400, 404),
    "GET /scan/{scan_id}/manifest": (200, 404),
    "PATCH /scan/{scan_id}/manifest": (200, 400, 404),
    "GET /scan/{scan_id}/i3-event": (200, 404),
    "GET /scan/{scan_id}/result": (200, 404),
    "PUT /scan/{scan_id}/result": (200, 400),
    "GET /scan/{scan_id}/status": (200, 404),
    "GET /scan/{scan_id}/logs": (200, 404),
    "GET /scan/{scan_id}/ewms/workflow-id": (200, 404),
    "POST /scan/{scan_id}/ewms/workflow-id": (200, 404),
    "GET /scan/{scan_id}/ewms/workforce": (200, 404),
    "GET /scan/{scan_id}/ewms/taskforces": (200, 404),
}
"""Routes with their answers."""


class Document:
    """The OpenAPI document of SkyDriver; without it, only the codes of `ROUTES` are looked at."""

    def __init__(self, document: dict[str, Any] | None) -> None:
        self.document = document

    def check_answer(self, route: str, code: int, body: Any) -> None:
        """Fail unless a route may answer so."""
        assert code in ROUTES[route], (route, code, body)
        if self.document is None:
            return
        answer = self._operation(route)["responses"][str(code)]
        if "$ref" in answer:
            answer = self._at(answer["$ref"])
        self._validate(answer["content"]["application/json"]["schema"], body)

    def check_request(self, route: str, body: Any) -> None:
        """Fail unless a route may be asked so."""
        if self.document is not None:
            self._validate(self._operation(route)["requestBody"]["content"]["application/json"]["schema"], body)

    def _operation(self, route: str) -> dict[str, Any]:
        assert self.document is not None
        method, path = route.split(" ")
        found: dict[str, Any] = self.document["paths"][path][method.lower()]
        return found

    def _at(self, reference: str) -> dict[str, Any]:
        found: Any = self.document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        return dict(found)

    def _validate(self, schema: dict[str, Any], body: Any) -> None:
        import jsonschema

        whole = {**(self.document or {}), "$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        jsonschema.Draft202012Validator(whole).validate(body)


@pytest.fixture(scope="module")
def document() -> Document:
    path = SHARED / "reference" / "skydriver-openapi.json"
    is_there = path.is_file() and importlib.util.find_spec("jsonschema") is not None
    return Document(json.loads(path.read_text()) if is_there else None)


class Asking:
    """Asks by the document's routes."""

    def __init__(self, sky: Sky, document: Document) -> None:
        self._sky = sky
        self._document = document

    async def __call__(
        self, route: str, code: int = 200, *, by: str = "ada", scan_id: str = "", body: Any = None, **how: Any
    ) -> Any:
        """What it answers, which must have this code and be as it says."""
        method, path = route.split(" ")
        if body is not None:
            how["json"] = body
            if code not in {400, 404, 422}:
                self._document.check_request(route, body)
        answer = await self._sky.of(by).request(method, path.format(scan_id=scan_id), **how)
        assert answer.status_code == code, answer.text
        self._document.check_answer(route, code, answer.json())
        return answer.json()


@pytest.fixture
def asking(sky: Sky, document: Document) -> Asking:
    return Asking(sky, document)


async def test_the_table_is_the_documents(document: Document) -> None:
    if document.document is None:
        pytest.skip("the shared folder with SkyDriver's OpenAPI document is not there, or jsonschema is not installed")
    methods = {"get", "post", "put", "patch", "delete"}
    paths = document.document["paths"].items()
    told = {
        f"{method.upper()} {path}": tuple(map(int, operation["responses"]))
        for path, operations in paths
        for method, operation in operations.items()
        if method in methods
    }
    assert told == dict(ROUTES)


async def test_the_life_of_a_scan(sky: Sky, asking: Asking) -> None:
    assert await asking("GET /") == {}
    manifest = await asking("POST /scan", body=scan_body(classifiers={"stream": "gold"}, priority=3))
    scan_id = manifest["scan_id"]
    assert len(scan_id) == 32
    assert manifest["reco"] == {"requested": "splinempe", "used": "mpe"}, "never silently another one"
    assert "--reco mpe" in manifest["scanner_server_args"]
    assert manifest["classifiers"] == {"stream": "gold"}
    assert manifest["event_metadata"] == {
        "run_id": 118000,
        "event_id": 7,
        "event_type": "gold",
        "mjd": 58000.25,
        "is_real_event": True,
    }
    assert (await asking("GET /scan/{scan_id}/ewms/workflow-id", scan_id=scan_id))["requested_ewms_workflow"] is True
    assert scan_id in [entry["scan_id"] for entry in (await asking("GET /scans/backlog"))["entries"]]
    assert (await asking("GET /scan/{scan_id}/i3-event", scan_id=scan_id))["i3_event"] == event_of()
    assert await asking("GET /scan/{scan_id}/result", scan_id=scan_id) == {}

    states = [await asking("GET /scan/{scan_id}/status", scan_id=scan_id)]
    await sky.drives(manifest, state="running", active=True)
    states.append(await asking("GET /scan/{scan_id}/status", scan_id=scan_id))
    assert scan_id not in [entry["scan_id"] for entry in (await asking("GET /scans/backlog"))["entries"]]
    await sky.shows_partial(manifest)
    states.append(await asking("GET /scan/{scan_id}/status", scan_id=scan_id))
    partial = await asking("GET /scan/{scan_id}/result", scan_id=scan_id)
    assert (partial["skyscan_result"], partial["is_final"]) == (PARTIAL, False)
    progress = (await asking("GET /scan/{scan_id}/manifest", scan_id=scan_id))["progress"]
    assert progress["tallies"]["by_nside"] == {"8": {"done": 12, "planned": 768}}
    await sky.finishes(manifest)
    states.append(await asking("GET /scan/{scan_id}/status", scan_id=scan_id))
    assert [state["scan_state"] for state in states] == [
        "PENDING__WAITING_ON_SCANNER_SERVER_STARTUP",
        "IN_PROGRESS__WAITING_ON_FIRST_PIXEL_RECO",
        "IN_PROGRESS__PARTIAL_RESULT_GENERATED",
        "SCAN_HAS_FINAL_RESULT",
    ]
    assert [state["scan_complete"] for state in states] == [False, False, False, True]
    whole = await asking("GET /scan/{scan_id}", scan_id=scan_id)
    assert (whole["result"]["skyscan_result"], whole["result"]["is_final"]) == (FINAL, True)

    async def is_noted() -> bool:
        noted = await asking("GET /scan/{scan_id}/manifest", scan_id=scan_id)
        return bool(noted["overview"]) and bool(noted["progress"]["processing_stats"]["finished"])

    await until(is_noted, "the end of the scan to be noted", 60)


async def test_the_work_behind_a_scan(sky: Sky, asking: Asking) -> None:
    manifest = await sky.posted(cluster={"here": 3, "there": 1})
    scan_id = manifest["scan_id"]
    added = await asking(
        "POST /scan/{scan_id}/actions/add-workers", scan_id=scan_id, body={"n_workers": 2, "cluster_location": "osg"}
    )
    assert added["n_workers"] == 2
    found = (await asking("GET /scan/{scan_id}/ewms/taskforces", scan_id=scan_id))["taskforces"]
    assert sorted(one["n_workers"] for one in found) == [1, 2, 3]
    assert added["taskforce_uuid"] in {one["taskforce_uuid"] for one in found}
    assert (await asking("GET /scan/{scan_id}/ewms/workforce", scan_id=scan_id))["n_running"] == 0
    url = (await asking("GET /scan/{scan_id}/logs", scan_id=scan_id))["scanner_server"]["url"]
    assert url.endswith(f"/skydriver/scan/{scan_id}/details")
    assert (await sky.ask(f"/scan/{scan_id}/details"))["condition"] == "waiting"


async def test_workers_that_cannot_be_added(sky: Sky, asking: Asking) -> None:
    route, body = "POST /scan/{scan_id}/actions/add-workers", {"n_workers": 1, "cluster_location": "here"}
    done, deleted = await sky.posted(), await sky.posted()
    await sky.finishes(done)
    await asking("DELETE /scan/{scan_id}", scan_id=deleted["scan_id"], body={})
    for manifest, words in ((done, "final result"), (deleted, "is deleted")):
        assert words in (await asking(route, 422, scan_id=manifest["scan_id"], body=body))["error"]


async def test_a_scan_is_deleted_softly(sky: Sky, asking: Asking) -> None:
    manifest = await sky.posted()
    scan_id = manifest["scan_id"]
    deleted = await asking("DELETE /scan/{scan_id}", scan_id=scan_id)
    assert deleted["manifest"]["is_deleted"] is True
    status = await asking("GET /scan/{scan_id}/status", scan_id=scan_id)
    assert status["scan_state"] == "ABORTED__WAITING_ON_SCANNER_SERVER_STARTUP"
    assert (status["ewms_deactivated"], status["is_deleted"]) == ("ABORTED", True)
    for route in ("GET /scan/{scan_id}", "GET /scan/{scan_id}/manifest", "GET /scan/{scan_id}/result"):
        assert "was deleted" in (await asking(route, 404, scan_id=scan_id))["error"]
        await asking(route, scan_id=scan_id, params={"include_deleted": "true"})
    done = await sky.posted()
    await sky.finishes(done)
    words = (await asking("DELETE /scan/{scan_id}", 400, scan_id=done["scan_id"]))["error"]
    assert "delete_completed_scan" in words
    await asking("DELETE /scan/{scan_id}", scan_id=done["scan_id"], body={"delete_completed_scan": True})


async def test_a_rescan_tells_where_it_comes_from(sky: Sky, asking: Asking) -> None:
    old = await sky.posted(classifiers={"a": 1}, nsides={"4": 0}, priority=7)
    scan_id, route = old["scan_id"], "POST /scan/{scan_id}/actions/rescan"
    new = await asking(route, scan_id=scan_id)
    assert new["classifiers"] == {"a": 1, "rescan": True, "origin_scan_id": scan_id}
    request = await asking("GET /scan-request/{scan_id}", scan_id=scan_id)
    assert request["rescan_ids"] == [new["scan_id"]]
    again = await asking("GET /scan-request/{scan_id}", scan_id=new["scan_id"])
    assert {**again, "scan_id": 0, "rescan_ids": 0} == {**request, "scan_id": 0, "rescan_ids": 0}
    assert (again["nsides"], again["priority"], again["reco_algo"]) == ({"4": 0}, 7, "splinempe")

    second = await asking(route, scan_id=scan_id, body={"abort_first": True, "replace_scan": True})
    third = await asking(route, scan_id=second["scan_id"], body={"replace_scan": True})
    kept = await asking("GET /scan/{scan_id}", scan_id=scan_id, params={"no_redirect": "true"})
    assert kept["manifest"]["replaced_by_scan_id"] == second["scan_id"]
    assert kept["manifest"]["scan_state"].startswith("ABORTED__")
    for path in ("", "/manifest?projection=scan_id", "/result", "/status", "/i3-event", "/logs", "/ewms/taskforces"):
        answer = await sky.of().get(f"/scan/{scan_id}{path}", follow_redirects=False)
        assert answer.status_code == 307
        assert answer.headers["Location"] == f"/skydriver/scan/{third['scan_id']}{path}"
    found = await sky.of().get(f"/scan/{scan_id}", follow_redirects=True)
    assert found.json()["manifest"]["scan_id"] == third["scan_id"]
    gone = await sky.of().request("DELETE", f"/scan/{scan_id}", json={}, follow_redirects=True)
    assert gone.json()["manifest"]["scan_id"] == third["scan_id"]


async def test_a_request_can_be_posted_again_with_changes(sky: Sky, asking: Asking) -> None:
    """What the helper script `remix_scan` does."""
    old = await sky.posted(
        cluster=[["here", 2], ["there", 1]], worker_memory="2GB", debug_mode="client-logs", scanner_server_memory="1GB"
    )
    request = await asking("GET /scan-request/{scan_id}", scan_id=old["scan_id"])
    for name in ("scan_id", "rescan_ids"):
        del request[name]
    new = await asking("POST /scan", body={**request, "reco_algo": "dummy", "nsides": {"2": 0}})
    assert new["i3_event_id"] == old["i3_event_id"]
    assert new["reco"] == {"requested": "dummy", "used": "dummy"}


async def test_what_a_scanner_reports_is_kept(sky: Sky, asking: Asking) -> None:
    manifest = await sky.posted()
    scan_id, route = manifest["scan_id"], "PATCH /scan/{scan_id}/manifest"
    progress = {
        "summary": "half",
        "epilogue": "",
        "tallies": {"x": 1},
        "processing_stats": {"start": {}, "runtime": {}},
        "predictive_scanning_threshold": 1.0,
        "last_updated": "now",
    }
    event = {"run_id": 1, "event_id": 2, "event_type": "x", "mjd": 3.5, "is_real_event": False}
    body = {"progress": progress, "event_metadata": event, "scan_metadata": {"a": [1]}}
    told = await asking(route, by="operator", scan_id=scan_id, body=body)
    assert told["progress"]["summary"] == "half"
    assert (told["event_metadata"], told["scan_metadata"]) == (event, {"a": [1]})
    await asking(route, by="operator", scan_id=scan_id, body={"event_metadata": event})
    for other in ({"event_metadata": event | {"run_id": 9}}, {"scan_metadata": {"b": 1}}):
        assert "taken once" in (await asking(route, 400, by="operator", scan_id=scan_id, body=other))["error"]
    await asking(route, 400, by="operator", scan_id=scan_id, body={"scan_metadata": None})


async def test_a_result_that_is_sent_is_kept(sky: Sky, asking: Asking) -> None:
    manifest = await sky.posted()
    scan_id, route = manifest["scan_id"], "PUT /scan/{scan_id}/result"
    assert await asking(route, by="operator", scan_id=scan_id, body={"skyscan_result": {}, "is_final": True}) == {}
    await asking(route, by="operator", scan_id=scan_id, body={"skyscan_result": PARTIAL, "is_final": False})
    status = await asking("GET /scan/{scan_id}/status", scan_id=scan_id)
    assert status["scan_state"] == "IN_PROGRESS__PARTIAL_RESULT_GENERATED"
    await asking(route, by="operator", scan_id=scan_id, body={"skyscan_result": FINAL, "is_final": True})
    assert (await asking("GET /scan/{scan_id}/result", scan_id=scan_id))["skyscan_result"] == FINAL
    status = await asking("GET /scan/{scan_id}/status", scan_id=scan_id)
    assert (status["scan_state"], status["ewms_deactivated"]) == ("SCAN_HAS_FINAL_RESULT", "FINISHED")
    await asking(route, 400, by="operator", scan_id=scan_id, body={"is_final": True})


async def test_a_workflow_is_named_once(sky: Sky, asking: Asking) -> None:
    manifest = await sky.posted()
    body = {"workflow_id": "WF-1", "ewms_address": "https://ewms.example.org"}
    route = "POST /scan/{scan_id}/ewms/workflow-id"
    answer = await asking(route, 404, by="operator", scan_id=manifest["scan_id"], body=body)
    assert manifest["ewms_workflow_id"] in answer["error"]


async def test_scans_are_found(sky: Sky, asking: Asking) -> None:
    made = [await sky.posted(classifiers={"find": "me", "n": number}) for number in range(3)]
    ids = [manifest["scan_id"] for manifest in made][::-1]
    filter_: dict[str, Any] = {"classifiers.find": "me", "scan_id": {"$in": ids}}
    found = await asking("POST /scans/find", body={"filter": filter_})
    assert [one["scan_id"] for one in found["manifests"]] == ids
    assert (found["total"], found["after"]) == (3, None)
    assert "ewms_task" not in found["manifests"][0]
    page = await asking("POST /scans/find", body={"filter": filter_}, params={"limit": 2})
    assert (len(page["manifests"]), page["total"]) == (2, 3)
    rest = await asking("POST /scans/find", body={"filter": filter_}, params={"limit": 2, "after": page["after"]})
    assert [one["scan_id"] for one in page["manifests"] + rest["manifests"]] == ids
    await asking("DELETE /scan/{scan_id}", scan_id=ids[0])
    for more, count in (({}, 2), ({"include_deleted": True}, 3)):
        assert (await asking("POST /scans/find", body={"filter": filter_, **more}))["total"] == count
    assert (await asking("POST /scans/find", body={"filter": {**filter_, "is_deleted": True}}))["total"] == 1
    numbers = {"filter": {**filter_, "classifiers.n": {"$gte": 1}}, "manifest_projection": ["classifiers.n"]}
    answer = await sky.of().post("/scans/find", json=numbers)
    assert answer.json()["manifests"] == [{"classifiers": {"n": 1}}], "the newest was deleted"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "filter"),
        ({"filter": {"$where": "1"}}, "$where"),
        ({"filter": {"scan_id": {"$regex": "a"}}}, "$regex"),
        ({"filter": {"progress.summary": "x"}}, "derived at each look"),
        ({"filter": {"$or": [{"scan_state": "x"}]}}, "derived at each look"),
        ({"filter": {}, "manifest_projection": ["ewms_task"]}, "ewms_task"),
        ({"filter": {}, "manifest_projection": ["event_i3live_json_dict.value"]}, "event_i3live_json_dict"),
        ({"filter": {}, "nothing": 1}, "nothing"),
    ],
)
async def test_a_search_that_is_wrong_is_refused(asking: Asking, body: dict[str, Any], words: str) -> None:
    assert words in (await asking("POST /scans/find", 400, body=body))["error"]


async def test_manifests_are_projected(sky: Sky, asking: Asking) -> None:
    manifest = await sky.posted(manifest_projection=["scan_id", "classifiers.a"], classifiers={"a": 1, "b": 2})
    assert set(manifest) == {"scan_id", "classifiers"}
    path = f"/scan/{manifest['scan_id']}/manifest"
    assert await sky.ask(f"{path}?projection=priority|classifiers.b") == {"priority": 0, "classifiers": {"b": 2}}
    assert (await sky.ask(path)).keys() == (await sky.ask(f"{path}?projection=*")).keys() > {"progress", "scan_metadata"}


@pytest.mark.parametrize("route", [route for route in ROUTES if "{scan_id}" in route and route.startswith("GET")])
@pytest.mark.parametrize("scan_id", ["1a22cf68d5bx896bd205b723718050df", "nothing"])
async def test_a_scan_that_is_not_there(asking: Asking, route: str, scan_id: str) -> None:
    assert "there is no scan" in (await asking(route, 404, scan_id=scan_id))["error"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"memory": "8GB"}, "use worker_memory_bytes"),
        ({"reco_algo": "millipede_wilks"}, "'millipede_wilks' is not available here; available are"),
        ({"reco_algo": "millipede_original"}, "mpe"),
        ({"cluster": {"nowhere": 1}}, "cluster location 'nowhere' is unknown"),
        ({"nsides": {"9": 0}}, "power of two"),
        ({"event_i3live_json": {"value": 1}}, "no i3live alert"),
        ({"event_i3live_json": "{}"}, "no i3live alert"),
        ({"event_i3live_json": "{"}, "neither JSON nor a pickle"),
        ({"event_i3live_json": None, "i3_event_id": "nothing"}, "there is no event nothing"),
        ({"nothing": 1}, "unknown key 'nothing'"),
    ],
)
async def test_a_scan_that_cannot_be_is_refused_in_one_line(sky: Sky, changes: dict[str, Any], words: str) -> None:
    answer = await sky.of().post("/scan", json=scan_body(**changes))
    assert answer.status_code == (404 if "i3_event_id" in changes else 400), answer.text
    assert words in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


async def test_an_event_is_text_or_an_object_and_the_same(sky: Sky) -> None:
    one = await sky.posted(event_i3live_json=event_of(11))
    two = await sky.posted(event_i3live_json=json.dumps(event_of(11), indent=3))
    three = await sky.posted(event_i3live_json=None, i3_event_id=one["i3_event_id"])
    assert one["i3_event_id"] == two["i3_event_id"] == three["i3_event_id"]
    details = await sky.ask(f"/scan/{three['scan_id']}/details")
    assert details["same_event"]["total"] == 3


async def test_what_the_document_lets_through_is_not_always_possible(sky: Sky, document: Document) -> None:
    """The document allows thresholds below 0.1, which the scanner of SkyDriver itself refuses later."""
    body = scan_body(predictive_scanning_threshold=0.05)
    document.check_request("POST /scan", body)
    assert (await sky.of().post("/scan", json=body)).status_code == 400


@pytest.mark.parametrize("name", ["138632_31747601.json"])
async def test_a_real_alert_is_taken(sky: Sky, asking: Asking, name: str) -> None:
    path = SHARED / "events" / name
    if not path.is_file():
        pytest.skip("the shared folder with real alerts is not there")
    manifest = await asking("POST /scan", body=scan_body(event_i3live_json=path.read_text()))
    assert manifest["event_metadata"]["run_id"] == 138632
    event = await asking("GET /scan/{scan_id}/i3-event", scan_id=manifest["scan_id"])
    assert event["i3_event"] == json.loads(path.read_text())

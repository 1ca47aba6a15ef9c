"""Who may call which of SkyDriver's routes, and whose scans they may change."""

from __future__ import annotations

from typing import Any

import pytest

from ewms.services import ANYBODY, Role
from skymap_scanner.skydriver.plugin import SkyDriver
from skymap_scanner.skydriver.rules import RULES

from .conftest import PARTIAL, Sky, scan_body

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODIES: dict[str, Any] = {
    "POST /scans/find": {"filter": {"scan_id": "none"}},
    "POST /scan": scan_body(nsides={"1": 0}),
    "POST /scan/{scan_id}/actions/rescan": {},
    "POST /scan/{scan_id}/actions/add-workers": {"n_workers": 1, "cluster_location": "here"},
    "DELETE /scan/{scan_id}": {"delete_completed_scan": True},
    "PATCH /scan/{scan_id}/manifest": {},
    "PUT /scan/{scan_id}/result": {"skyscan_result": PARTIAL, "is_final": False},
    "POST /scan/{scan_id}/ewms/workflow-id": {"workflow_id": "WF-1", "ewms_address": "x"},
}
CHANGES = ("POST /scan/{scan_id}/actions/add-workers", "DELETE /scan/{scan_id}")
"""Only for the scan's owner and operators."""
CALLERS = ("", "pilot", "tms", "bob", "ada", "operator")


async def ask(sky: Sky, route: str, name: str, scan_id: str) -> tuple[int, str]:
    method, path = route.split(" ")
    how = {"json": BODIES[route]} if route in BODIES else {}
    answer = await sky.of(name).request(method, path.format(scan_id=scan_id), **how)
    return answer.status_code, answer.json().get("error", "")


async def test_every_route_has_a_rule_and_every_rule_a_route(sky: Sky) -> None:
    paths = (await sky.of("operator").get("/openapi.json")).json()["paths"]
    routes = {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}
    rules = {route.replace(":path}", "}") for route in SkyDriver.rules}
    assert {route for route in routes if route in RULES} == set(RULES)
    assert routes <= rules, "routes without a rule are for operators alone"
    assert not any(rule is ANYBODY for rule in RULES.values())


@pytest.mark.parametrize("route", sorted(RULES))
async def test_a_role_calls_what_it_may(sky: Sky, route: str) -> None:
    scan_id = (await sky.posted())["scan_id"] if "{scan_id}" in route else ""
    for name in CALLERS:
        code, error = await ask(sky, route, name, scan_id)
        roles = RULES[route].roles or frozenset()
        role = Role.USER if name in {"ada", "bob"} else name
        if not name:
            assert code == 401, error
        elif role not in roles or (route in CHANGES and name == "bob"):
            assert code == 403, (name, error)
            assert error
        else:
            assert code not in {401, 403}, (name, error)


async def test_others_see_a_scan_and_change_nothing(sky: Sky) -> None:
    manifest = await sky.posted(nsides={"2": 0})
    scan_id = manifest["scan_id"]
    assert (await sky.ask(f"/scan/{scan_id}", "bob"))["manifest"]["owner"] == "ada"
    for body in ({"abort_first": True}, {"replace_scan": True}):
        answer = await sky.of("bob").post(f"/scan/{scan_id}/actions/rescan", json=body)
        assert (answer.status_code, "is ada's" in answer.json()["error"]) == (403, True)
    answer = await sky.of("bob").request("DELETE", f"/scan/{scan_id}")
    assert "ask them, or an operator" in answer.json()["error"]
    assert (await sky.ask(f"/scan/{scan_id}/status"))["ewms_deactivated"] is None
    new = await sky.ask(f"/scan/{scan_id}/actions/rescan", "bob", "POST", json={})
    assert new["owner"] == "bob", "a scan of one's own, by the same request"
    workflow = await sky.of("bob").get(f"{sky.service.url}/api/workflows/{manifest['ewms_workflow_id']}")
    assert workflow.status_code == 404, "the workflow itself stays its owner's"
    await sky.ask(f"/scan/{scan_id}", "operator", "DELETE")
    assert (await sky.ask(f"/scan/{scan_id}/status"))["scan_state"].startswith("ABORTED__")

"""Every route of the service, called by everybody: who may call it, and whether others' objects are there for them.

What is to come of it is read from `ewms.wms.access.roles`; that this table says what it should is for people to judge, and
for `test_who_may_call_what` below, which spells it out once more.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute

from ewms.stores.collections import QUEUES
from ewms.wms.access.roles import ANYBODY, CHANGE, KNOWN, LAUNCH, OPERATE, REQUEST, RULES, SEE, Role, Rule
from ewms.wms.service.app import create_app
from ewms.wms.service.lookup import find_all
from ewms.wms.web import routes as web
from tests.support.ewms_v1 import OSG, README_REQUEST
from tests.support.service import RunningService, running_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHA = "0" * 64
BODIES: dict[str, Any] = {
    "POST /v1/workflows": README_REQUEST,
    "POST /v1/query/workflows": {"query": {}},
    "POST /v1/query/task-directives": {"query": {}},
    "POST /v1/query/taskforces": {"query": {}},
    "POST /v1/task-directives/{task_id}/actions/add-workers": {"cluster_location": "osg", "n_workers": 1},
    "POST /v1/tms/condor-submit/taskforces/{taskforce_uuid}": {"cluster_id": 1, "n_workers": 1},
    "POST /v1/tms/condor-submit/taskforces/{taskforce_uuid}/failed": {"error": "because"},
    "POST /v1/tms/condor-rm/taskforces/{taskforce_uuid}/failed": {"error": "because"},
    "POST /v1/tms/condor-complete/taskforces/{taskforce_uuid}": {"condor_complete_ts": 1},
    "POST /v1/tms/statuses/taskforces": {"compound_statuses_by_taskforce": {"TF-none": {"IDLE": {"None": 1}}}},
    "POST /v1/mqs/workflows/{workflow_id}/mq-group/reservation": {"queue_aliases": ["input-queue"]},
    "POST /v1/mqs/workflows/{workflow_id}/mq-group/activation": {"criteria": {"priority": 1}},
    "POST /api/files/missing": {"sha256": [SHA]},
    "POST /api/workflows": {"spec": {"name": "none"}},
    "POST /api/workflows/{workflow_id}/events": {"events": [{"id": "1", "body": 1}]},
    "POST /api/workflows/{workflow_id}/dead-letters/replay": {"task": None, "event_ids": []},
    "PATCH /api/workflows/{workflow_id}": {"priority": 1},
    "POST /api/workflows/{workflow_id}/actions/add-workers": {"workers": 1},
    "POST /api/sites/{cluster}/{site}/exclusion": {"seconds": 1.0},
    "POST /api/tms/{cluster}/report": {"ready": True},
    "POST /api/tokens": {"owner": "eve"},
}
"""Requests without mistakes, so that nothing is said of one before it is known who sends it."""
NOBODYS_PAGES = {"/", "/ui/", "/ui/login", "/ui/logout", "/favicon.ico", "/favicon.svg"} | {
    "/ui/static/{name:path}",
    "/ui/static/bokeh/{name:path}",
}
PARAMETERS = {
    "sha256": SHA,
    "cluster": "osg",
    "site": "far",
    "task": "none",
    "event_id": "none",
    "name": "none",
    "token_id": SHA[:16],
}
DOORS = {
    "POST /ui/login": 403,
    "POST /ui/logout": 403,
    "GET /ui/static/{name:path}": 404,
    "GET /ui/static/bokeh/{name:path}": 404,
}
"""Open to everybody, but not for a program, or for a file that is not there: with what they are answered here."""
NOT_YOURS = "or it is not yours"
_STARTED_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Place:
    """A service with a workflow of somebody's."""

    service: RunningService
    app_routes: frozenset[str]
    """Method and path of each route, as the OpenAPI document has them."""
    parameters: dict[str, str]
    """What stands in a path, with objects of `ada`."""
    tokens: dict[str, str]
    """By name: of ada, of another user, and one of each other role."""

    async def ask(self, route: str, token: str = "", *, unknown: bool = False) -> tuple[int, str]:
        """The code of an answer, and the error if there is one.

        Parameters
        ----------
        unknown
            Ask for objects that do not exist.
        """
        method, _, path = route.partition(" ")
        parameters = PARAMETERS | {name: f"{value}-none" if unknown else value for name, value in self.parameters.items()}
        url = re.sub(r"\{(\w+)(?::path)?\}", lambda match: parameters[match[1]], path)
        body = {"json": BODIES[route]} if route in BODIES else {}
        async with (
            asyncio.timeout(_STARTED_SECONDS),
            self.service.client(token) as client,
            client.stream(method, url, **body) as answer,  # some go on for as long as somebody listens
        ):
            return answer.status_code, await _error_in(answer)


async def _error_in(answer: httpx2.Response) -> str:
    if answer.status_code < 400:
        return ""
    await answer.aread()
    error: str = answer.json().get("error", "")
    return error


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with running_service(tmp_path_factory.mktemp("service"), access={}, clusters=OSG) as service:
        minted = service.state.access.minted
        tokens = {role.value: await minted.mint(role.value, role) for role in set(Role) - {Role.USER}}
        tokens |= {name: await minted.mint(name, Role.USER) for name in ("ada", "bob")}
        async with service.client(tokens["ada"]) as client:
            made = (await client.post("/v1/workflows", json=README_REQUEST)).json()
        workflow_id = made["workflow"]["workflow_id"]
        queues = await find_all(service.state.store, QUEUES, {"workflow_id": workflow_id})
        parameters = {
            "workflow_id": workflow_id,
            "task_id": made["task_directives"][0]["task_id"],
            "taskforce_uuid": made["taskforces"][0]["taskforce_uuid"],
            "mqid": queues[0].key,
        }
        paths = create_app(service.state).openapi()["paths"]
        routes = {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}
        pages = (route for router in web.routers for route in router.routes if isinstance(route, APIRoute))
        routes |= {documented(f"{method} {route.path}") for route in pages for method in route.methods or ()}
        yield Place(service=service, app_routes=frozenset(routes), parameters=parameters, tokens=tokens)


def documented(route: str) -> str:
    """A route as the OpenAPI document has it."""
    return route.replace(":path}", "}")


async def test_every_route_has_a_rule_and_every_rule_a_route(place: Place) -> None:
    assert place.app_routes == {documented(route) for route in RULES}


async def test_every_body_belongs_to_a_route() -> None:
    assert BODIES.keys() <= RULES.keys()


@pytest.mark.parametrize("route", sorted(RULES))
async def test_without_a_token_nothing_is_said(place: Place, route: str) -> None:
    rule = RULES[route]
    for token in ("", "ewms_" + "x" * 43, "eyJhbGciOiJub25lIn0.e30."):
        code, error = await place.ask(route, token)
        if rule is ANYBODY:
            assert code == DOORS.get(route) or code in {200, 303, 503}  # while it is not ready
        else:
            assert code == 401, error
            assert place.parameters["workflow_id"] not in error


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.USER}))
@pytest.mark.parametrize("route", sorted(RULES.keys() - DOORS))
async def test_a_role_calls_what_it_may(place: Place, route: str, role: Role) -> None:
    rule = RULES[route]
    code, error = await place.ask(route, place.tokens[role])
    if rule.roles is not None and role not in rule.roles:
        assert code == 403
        assert f"{role} has the role {role}" in error
        return
    assert code not in {401, 403}, error
    assert code < 500 or route == "GET /readyz", error
    if rule.is_owned:
        assert (code, error) != await place.ask(route, place.tokens["bob"])


@pytest.mark.parametrize("route", sorted(RULES.keys() - DOORS))
async def test_users_reach_their_own_alone(place: Place, route: str) -> None:
    rule = RULES[route]
    own, own_error = await place.ask(route, place.tokens["ada"])
    others, others_error = await place.ask(route, place.tokens["bob"])
    if not _lets_in(rule):
        assert own == others == 403
        return
    assert own not in {401, 403}, own_error
    assert own < 500 or route == "GET /readyz", own_error
    if rule.is_owned:
        absent, absent_error = await place.ask(route, place.tokens["bob"], unknown=True)
        assert others == absent == 404, others_error
        assert own_error != others_error
        named = {name: value for name, value in place.parameters.items() if f"{{{name}}}" in route}
        for value in named.values():  # nor does the answer tell what is there
            absent_error = absent_error.replace(f"{value}-none", value)
        assert others_error == absent_error
        assert NOT_YOURS in others_error
    else:
        assert others not in {401, 403}, others_error
        assert others < 500 or route == "GET /readyz", others_error


def _lets_in(rule: Rule) -> bool:
    return rule.roles is None or Role.USER in rule.roles


async def test_listings_hold_what_the_caller_may_see(place: Place) -> None:
    workflow_id = place.parameters["workflow_id"]
    listings: list[tuple[str, str, Any]] = [("GET", "/api/workflows", None)]
    listings += [("POST", f"/v1/query/{kind}", {"query": {}}) for kind in ("workflows", "task-directives", "taskforces")]
    for method, path, body in listings:
        seen = {}
        for name in ("ada", "bob", "operator", "tms"):
            async with place.service.client(place.tokens[name]) as client:
                answer = await client.request(method, path, json=body)
            assert answer.status_code == 200
            seen[name] = workflow_id in answer.text
        assert seen == {"ada": True, "bob": False, "operator": True, "tms": True}, path


async def test_revocation_counts_from_the_next_request_on(place: Place) -> None:
    minted = place.service.state.access.minted
    token = await minted.mint("sybil", Role.OPERATOR)
    assert (await place.ask("GET /api/workflows", token))[0] == 200
    [document] = [document for document in await minted.listing() if document.owner == "sybil"]
    await minted.revoke(document.id)
    assert (await place.ask("GET /api/workflows", token))[0] == 401


async def test_who_may_call_what() -> None:
    kinds = {"anybody": ANYBODY, "known": KNOWN, "request": REQUEST, "see": SEE, "change": CHANGE, "launch": LAUNCH}
    counted = Counter(
        name for rule in RULES.values() for name, kind in (kinds | {"operate": OPERATE}).items() if rule is kind
    )
    assert sum(counted.values()) == len(RULES)
    for route, rule in RULES.items():
        method, _, path = route.partition(" ")
        is_tms = path.startswith(("/v1/tms/", "/api/tms/"))
        assert (rule is LAUNCH) == is_tms, route
        names_an_object = re.search(r"\{(workflow_id|task_id|mqid)\}", path) or (not is_tms and "{taskforce_uuid}" in path)
        assert rule.is_owned == bool(names_an_object) or rule is OPERATE, route
        if rule.is_owned and method != "GET":
            assert rule is CHANGE, route
        if rule is ANYBODY:
            assert path in {"/healthz", "/readyz", "/api/about", "/mqbroker-issuer/.well-known/jwks.json"} | NOBODYS_PAGES

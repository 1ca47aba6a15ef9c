"""EWMS's side of `/v1`: what its clients send, what its TMS says, and its own OpenAPI documents to hold answers against."""

from __future__ import annotations

import asyncio
import copy
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from jsonschema import Draft202012Validator

from ewms.core.service.phases import WorkflowState
from ewms.core.service.workflow import DriverClaim, WorkflowDocument
from ewms.stores.collections import WORKFLOWS
from ewms.stores.store import Replace
from ewms.wms.service.state import ServiceState
from tests.support.conditions import rest_after

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"
"""EWMS's documents, where they lie beside the repository."""

T = TypeVar("T")

README_REQUEST: dict[str, Any] = {
    "public_queue_aliases": ["input-queue", "output-queue"],
    "tasks": [
        {
            "cluster_locations": ["osg"],
            "input_queue_aliases": ["input-queue"],
            "output_queue_aliases": ["output-queue"],
            "task_image": "/cvmfs/icecube.opensciencegrid.org/containers/path/to/my-apptainer-container:1.2.3",
            "task_args": "cp {{INFILE}} {{OUTFILE}}",
            "n_workers": 1000,
            "worker_config": {
                "do_transfer_worker_stdouterr": True,
                "max_worker_runtime": 600,
                "n_cores": 1,
                "priority": 99,
                "worker_disk": "512M",
                "worker_memory": "512M",
            },
        },
    ],
}
"""The example in the README of EWMS's WMS, which its own schema rejects."""

OSG = {"osg": {"backend": "local", "max_workers": 5000, "aliases": ["OSG", "sub-2"], "schedd": "ap.example.org"}}
"""A table `[clusters]` with EWMS's one cluster."""


def a_request(**task: Any) -> dict[str, Any]:
    """The example with other keys in its task; None takes a key away."""
    request = copy.deepcopy(README_REQUEST)
    changed = request["tasks"][0] | task
    request["tasks"][0] = {key: value for key, value in changed.items() if value is not None}
    return request


@cache
def reference(name: str) -> dict[str, Any] | None:
    """One of EWMS's OpenAPI documents; None where they are not at hand."""
    path = REFERENCE / f"ewms-{name}-openapi.json"
    document: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
    return document


async def eventually(look: Callable[[], Awaitable[T | None]], what: str, deadline: float = 60.0) -> T:
    """The first thing that a look finds; fails the test after the deadline."""
    end = time.monotonic() + deadline
    while (began := time.monotonic()) < end:
        if found := await look():
            return found
        await asyncio.sleep(rest_after(time.monotonic() - began))
    raise AssertionError(f"waited {deadline} s in vain for {what}")


class EwmsClient:
    """A client that holds every answer against EWMS's schemas, where these are at hand."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def get(self, path: str, expected: int = 200) -> Any:
        """What is there."""
        return self._checked(await self._http.get(path), path.partition("?")[0], expected)

    async def post(self, path: str, body: Any = None, expected: int = 200) -> Any:
        """What comes of it."""
        answer = await self._http.post(path) if body is None else await self._http.post(path, json=body)
        return self._checked(answer, path, expected)

    async def taskforce(self, uuid: str) -> Any:
        """A taskforce."""
        return await self.get(f"/v1/taskforces/{uuid}")

    async def in_phase(self, uuid: str, phase: str) -> Any:
        """The taskforce once it is in a phase."""

        async def arrived() -> Any:
            taskforce = await self.taskforce(uuid)
            return taskforce if taskforce["phase"] == phase else None

        return await eventually(arrived, f"phase {phase}")

    def _checked(self, answer: httpx2.Response, path: str, expected: int) -> Any:
        assert answer.status_code == expected, answer.text
        body = answer.json()
        if expected >= 400:
            assert set(body) == {"code", "error"}
            assert body["code"] == expected
            assert body["error"]
            assert "\n" not in body["error"]
        check_answer(answer.request.method, path, expected, body)
        return body


def check_answer(method: str, path: str, code: int, body: Any) -> None:
    """Whether EWMS's schema of a route allows an answer; nothing where EWMS's documents are not at hand."""
    document = reference("mqs" if path.startswith(("/v1/mqs", "/mqbroker")) else "wms")
    if document is None or code in {401, 403}:
        return
    template = route_of(document, path)
    assert str(code) in document["paths"][template][method.lower()]["responses"], f"{method} {template} never answers {code}"
    pointer = "/".join(
        part.replace("~", "~0").replace("/", "~1") for part in (template, method.lower(), "responses", str(code))
    )
    answer = document["paths"][template][method.lower()]["responses"][str(code)]
    root = answer.get("$ref", f"#/paths/{pointer}")
    schema = {**document, "$ref": f"{root}/content/application~1json/schema"}
    Draft202012Validator(schema).validate(body)


def route_of(document: Mapping[str, Any], path: str) -> str:
    """The path of a document that a concrete one is an instance of."""
    if path in document["paths"]:
        return path
    for template in document["paths"]:
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return str(template)
    raise AssertionError(f"EWMS has no route {path}")


async def play_driver(service: ServiceState, workflow_id: str, **fields: Any) -> WorkflowDocument:
    """What a driver host writes: by default that the queues are there and the workflow runs."""
    stored = await service.store.get(WORKFLOWS, workflow_id)
    assert stored is not None
    before = WorkflowDocument.model_validate(stored.body)
    claim = DriverClaim(host="played", epoch=before.driver.epoch + 1)
    update = {"active": True, "state": WorkflowState.RUNNING, "driver": claim} | fields
    after = before.model_copy(update=update)
    body = after.model_dump(mode="json")
    await service.store.write(Replace(collection=WORKFLOWS, key=workflow_id, version=stored.version, body=body))
    await service.news.publish(WORKFLOWS, workflow_id)
    return after

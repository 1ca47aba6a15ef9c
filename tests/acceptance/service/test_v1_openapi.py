"""Our OpenAPI document against EWMS's: every route, every answer and every key that a client of EWMS may rely on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.ewms_v1 import OSG, EwmsClient, reference
from tests.support.service import running_service

METHODS = {"get", "post"}
NARROWED = {
    "/v1/tms/condor-submit/taskforces/{taskforce_uuid}",  # any key of a taskforce in EWMS; it reads four of them
}


@pytest.fixture
async def ours(tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    async with running_service(tmp_path, access={"anonymous": True}, clusters=OSG) as service, service.client() as http:
        document = await EwmsClient(http).get("/v1/schema/openapi")
        assert await EwmsClient(http).get("/v1/mqs/schema/openapi") == document
        yield document


def theirs() -> dict[str, Any]:
    """EWMS's routes, of both services, with their references resolved."""
    documents = [reference("wms"), reference("mqs")]
    if not all(documents):
        pytest.skip("EWMS's OpenAPI documents are not at ../shared/reference")
    return {
        path: (resolved(item, document), document)
        for document in documents
        if document
        for path, item in document["paths"].items()
    }


def resolved(schema: Any, document: dict[str, Any]) -> Any:
    """A part of a document without references."""
    if isinstance(schema, list):
        return [resolved(part, document) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return resolved(found, document)
    return {key: resolved(value, document) for key, value in schema.items()}


def operations() -> Iterator[tuple[str, str, Any]]:
    """EWMS's routes by path and method."""
    for path, (item, _) in theirs().items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


def body(operation: Any, code: str = "") -> dict[str, Any]:
    """The schema of an operation's request, or of one of its answers."""
    part = operation["responses"][code] if code else operation.get("requestBody", {})
    schema: dict[str, Any] = part.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def keys(schema: dict[str, Any], *, optional: bool = True) -> set[str]:
    """Keys of an object's schema, or of what it may be one of."""
    found = set(schema.get("properties", {})) if optional else set(schema.get("required", ()))
    for part in schema.get("anyOf", ()):
        found |= keys(part, optional=optional)
    return found


async def test_every_route_is_there_with_its_answers(ours: dict[str, Any]) -> None:
    for path, method, operation in operations():
        assert method in ours["paths"][path], f"{method} {path}"
        codes = ours["paths"][path][method]["responses"].keys()
        assert operation["responses"].keys() <= codes, f"{method} {path} {operation['responses'].keys() - codes}"


async def test_every_key_of_a_request_is_taken_and_no_other_is_required(ours: dict[str, Any]) -> None:
    for path, method, operation in operations():
        mine, wanted = body(resolved(ours["paths"][path][method], ours)), body(operation)
        if path not in NARROWED:
            assert keys(mine) == keys(wanted), f"{method} {path}"
        assert keys(mine, optional=False) <= keys(wanted, optional=False) | {"cluster_id", "n_workers"}, f"{method} {path}"


async def test_every_key_of_an_answer_is_given_and_no_other(ours: dict[str, Any]) -> None:
    for path, method, operation in operations():
        mine = resolved(ours["paths"][path][method], ours)
        for code in operation["responses"]:
            assert keys(body(mine, code)) == keys(body(operation, code)), f"{method} {path} {code}"


async def test_phases_have_ewmss_names(ours: dict[str, Any]) -> None:
    document = reference("wms")
    if document is None:
        pytest.skip("EWMS's OpenAPI documents are not at ../shared/reference")
    phases = document["components"]["schemas"]["TaskforceObject"]["properties"]["phase"]["enum"]
    mine = resolved(ours["components"]["schemas"]["TaskforceObject"], ours)
    assert mine["properties"]["phase"]["enum"] == phases

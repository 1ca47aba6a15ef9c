"""What tests submit to a service by its own interface."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx2

CODE = b"def double(number):\n    return 2 * number\n"
INPUT = b"1\n2\n"
SPEC: dict[str, Any] = {
    "name": "numbers",
    "tasks": [{"name": "double", "python": "work:double", "input": "numbers", "output": "doubled"}],
}


async def upload(http: httpx2.AsyncClient, content: bytes) -> str:
    """Its sha256."""
    digest = hashlib.sha256(content).hexdigest()
    answer = await http.put(f"/api/files/{digest}", content=content)
    assert answer.status_code == 201, answer.text
    return digest


async def request_for(http: httpx2.AsyncClient) -> dict[str, Any]:
    """A request that is right, with its files uploaded."""
    files = {"code/work.py": await upload(http, CODE), "inputs/numbers.jsonl": await upload(http, INPUT)}
    return {"spec": SPEC, "files": files, "labels": {"site": "here"}}


async def submitted(http: httpx2.AsyncClient, **changes: Any) -> str:
    """The id of a workflow that was taken."""
    answer = await http.post("/api/workflows", json=await request_for(http) | changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["workflow_id"])

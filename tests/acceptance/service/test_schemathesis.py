"""No request that the OpenAPI document allows, and none that it forbids, makes the service fail."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import httpx2
import pytest

from ewms.drive.beats import Beats
from tests.support.service import running_service
from tests.support.submissions import submitted

SLOW = "stream|outcomes|/plan$"
"""Answers that take their time by design."""
LONG = [pytest.mark.soak, pytest.mark.timeout(3600)]


@pytest.mark.parametrize(
    ("phases", "examples"), [("fuzzing", 3), pytest.param("coverage,fuzzing,stateful", 200, marks=LONG)]
)
async def test_nothing_makes_it_fail(tmp_path: Path, phases: str, examples: int) -> None:
    async with running_service(tmp_path, access={}, service={"lease": 3600.0}) as service:
        await Beats(service.state.store, "host", lease=3600.0).announce()
        token = (tmp_path / "secrets" / "operator.token").read_text().strip()
        async with service.client(token) as http:
            (tmp_path / "schemathesis.toml").write_text(await parameters(http))
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{service.url}/openapi.json",
            *("--checks", "not_a_server_error", "--phases", phases, "--max-examples", str(examples), "--seed", "1"),
            *("--exclude-path-regex", SLOW, "--header", f"Authorization: Bearer {token}", "--no-color"),
            *("--generation-database", "none", "--suppress-health-check", "all", "--workers", "2", "--warnings", "off"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()[-8000:]


async def parameters(http: httpx2.AsyncClient) -> str:
    """Names of what is there, so that more than 404 is tried."""
    workflow_id = await submitted(http)
    taskforce = (await http.get(f"/api/workflows/{workflow_id}/workers")).json()["items"][0]
    known = {
        "workflow_id": workflow_id,
        "taskforce_uuid": taskforce["taskforce_uuid"],
        "task_id": taskforce["task_id"],
        "cluster": "here",
        "task": "double",
        "name": "code/work.py",
    }
    lines = (f'"path.{name}" = {json.dumps(value)}' for name, value in known.items())
    return "\n".join(["[parameters]", *lines, ""])

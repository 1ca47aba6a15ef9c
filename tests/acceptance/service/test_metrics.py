"""What Prometheus reads is what its own linter asks for."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.service import running_service
from tests.support.submissions import submitted


async def measured(folder: Path) -> str:
    async with running_service(folder) as service, service.client() as http:
        await submitted(http)
        await http.get("/nowhere")
        return (await http.get("/metrics")).text


async def test_what_happened_is_counted_by_its_name_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "ewms")
    families = {family.name: family for family in text_string_to_metric_families(await measured(tmp_path))}
    happened = {sample.labels["name"]: sample.value for sample in families["ewms_transitions"].samples}
    assert happened["workflow_submitted"] == 1
    states = {sample.labels["state"]: sample.value for sample in families["ewms_workflows"].samples}
    assert states == {"pending": 1, "running": 0, "paused": 0, "complete": 0, "failed": 0, "cancelled": 0}
    routes = {sample.labels["route"] for sample in families["ewms_request_served_seconds"].samples}
    assert {"/api/workflows", "unknown"} <= routes, "paths that nobody knows are one label, not many"


async def test_the_linter_has_nothing_to_say(tmp_path: Path) -> None:
    program = os.environ.get("EWMS_PROMTOOL") or shutil.which("promtool")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("promtool is not installed")
        pytest.skip("promtool is not installed; it comes with Prometheus")
    process = await asyncio.create_subprocess_exec(
        *(program, "check", "metrics"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate((await measured(tmp_path)).encode())
    assert (process.returncode, said.decode()) == (0, "")

"""`ewms tms` as an operator uses it, also wrongly."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from ewms.core.service.phases import Phase
from ewms.tms.folder import ClusterFolder
from tests.support.running import EWMS
from tests.support.scripted_service import TOKEN, ScriptedService
from tests.support.taskforces import pilots, taskforce

CONFIG = '[service]\nurl = "{url}"\ndata = "data"\n[clusters.here]\nbackend = "local"\nmax_workers = 2\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "ewms.toml"
    path.write_text(text)
    return path


async def test_from_start_to_sigterm(tmp_path: Path, service: ScriptedService, folder: ClusterFolder) -> None:
    config = write(tmp_path, CONFIG.format(url=service.url) + "pilots_survive = false\n")
    await service.put(taskforce("TF-1"))
    process = await asyncio.create_subprocess_exec(
        *(EWMS, "tms", "--config", str(config)),
        env=os.environ | {"EWMS_TOKEN": TOKEN},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await service.until_phase("TF-1", Phase.CONDOR_SUBMIT)
        await service.until(lambda: pilots(folder), "a pilot")
        process.terminate()
        async with asyncio.timeout(5):
            output, log = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode == 0, log
    assert output.decode() == f"ewms tms: clusters here for {service.url}\n"
    assert "taskforce_submitted" in [json.loads(line)["event"] for line in log.splitlines()]
    assert TOKEN.encode() not in log
    await service.until(lambda: not pilots(folder), "the end of pilots that do not survive")


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        (None, [], "configuration"),
        ("[clusters.here]\nbackend = 'lokal'\n", [], "clusters.here: backend = 'lokal' is unknown"),
        ("", [], "there is no cluster to run"),
        ("[clusters.here]\nbackend = 'local'\n", ["--cluster", "hear"], "there is no cluster 'hear'"),
        ("[clusters.here]\nbackend = 'local'\n", ["--token-file", "none.token"], "the secret in none.token cannot be read"),
        ("[clusters.here]\nbackend = 'local'\n", ["--ca", "none.pem"], "the certificates in none.pem cannot be read"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, text: str | None, arguments: list[str], words: str) -> None:
    if text is not None:
        write(tmp_path, text)
    done = subprocess.run(
        [EWMS, "tms", "--config", "ewms.toml", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1

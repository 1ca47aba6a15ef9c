"""`ewms serve` as a process: what it prints, how it ends, TLS, and mistakes in one line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import trustme

from tests.support.conditions import until

PROGRAM = Path(sys.executable).with_name("ewms")
SECONDS = 30.0


def configured(folder: Path, *lines: str) -> Path:
    """A configuration with these lines under `[service]`."""
    path = folder / "ewms.toml"
    service = "\n".join(('[service]\nbroker = "memory://process"\nlisten = "127.0.0.1:0"', *lines))
    path.write_text(f'{service}\n[access]\nanonymous = true\n[clusters.here]\nbackend = "local"\n')
    return path


@contextlib.asynccontextmanager
async def serve(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The process and its URL."""
    process = await asyncio.create_subprocess_exec(
        str(PROGRAM), "serve", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), SECONDS)).decode()
        assert line.startswith("ewms serves at http")
        yield process, line.split()[-1]
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_it_ends_well_while_somebody_waits(tmp_path: Path) -> None:
    async with serve("--config", str(configured(tmp_path))) as (process, url), httpx2.AsyncClient(base_url=url) as http:
        revision = (await http.get("/api/tms/here/plan")).json()["revision"]
        waiting = asyncio.create_task(http.get("/api/tms/here/plan", params={"after": revision}, timeout=SECONDS))

        async def is_waiting() -> bool:
            return "ewms_requests_under_way 2.0" in (await http.get("/metrics")).text

        await until(is_waiting, "the long poll")
        process.send_signal(signal.SIGTERM)
        assert (await asyncio.wait_for(waiting, 5)).status_code == 200
        _, log = await asyncio.wait_for(process.communicate(), 5)
        assert process.returncode == 0
    lines = [json.loads(line) for line in log.decode().splitlines()]
    events = [line["event"] for line in lines]
    assert (events[0], events[-1]) == ("service_started", "service_stopped")
    served = next(line for line in lines if line["event"] == "request_served")
    assert (served["path"], served["code"], len(served["request"])) == ("/api/tms/here/plan", 200, 16)


async def test_it_speaks_tls(tmp_path: Path, authority: trustme.CA) -> None:
    own = authority.issue_cert("127.0.0.1")
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    own.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    config = configured(tmp_path, f'certificate = "{tmp_path}/cert.pem"', f'key = "{tmp_path}/key.pem"')
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with serve("--config", str(config)) as (_, url), httpx2.AsyncClient(base_url=url, verify=trusting) as http:
        assert url.startswith("https://")
        assert (await http.get("/healthz")).json() == {"ok": True}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (['certificate = "/none"', 'key = "/none"'], "cannot be used: No such file"),
        (['store = "/proc/none/store"'], "/proc/none"),
        (['files = "nope://x"'], "nope://x"),
    ],
)
async def test_what_cannot_be_is_one_line(tmp_path: Path, lines: list[str], words: str) -> None:
    process = await asyncio.create_subprocess_exec(
        str(PROGRAM), "serve", "--config", str(configured(tmp_path, *lines)), stderr=asyncio.subprocess.PIPE
    )
    _, stderr = await asyncio.wait_for(process.communicate(), SECONDS)
    said = [line for line in stderr.decode().splitlines() if not line.startswith("{")]
    assert process.returncode != 0
    assert len(said) == 1, stderr.decode()
    assert words in said[0]


async def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(str(PROGRAM), "serve", "--config", str(configured(tmp_path)), "--port", str(port)), stderr=asyncio.subprocess.PIPE
    )
    _, stderr = await asyncio.wait_for(process.communicate(), SECONDS)
    taken.close()
    assert f"cannot listen at 127.0.0.1:{port}: Address already in use" in stderr.decode()
    assert process.returncode == 2

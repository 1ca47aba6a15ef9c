"""Real NATS servers with any configuration."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from ewms.brokers._nats_process import NatsProcess, find_server
from ewms.core.errors import BrokerUnavailable

StartServer = Callable[[str], Awaitable[NatsProcess]]


@pytest.fixture(autouse=True)
def _server_is_installed() -> None:
    try:
        find_server()
    except BrokerUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.fixture
async def start_server(tmp_path: Path) -> AsyncIterator[StartServer]:
    """Starts a server with JetStream and what is added to its configuration."""
    servers: list[NatsProcess] = []
    lock = os.open(os.devnull, os.O_RDONLY)

    async def start(more: str) -> NatsProcess:
        folder = tmp_path / f"server-{len(servers)}"
        folder.mkdir()
        config = folder / "nats.conf"
        config.write_text(f'host: "127.0.0.1"\nport: -1\nports_file_dir: "{folder}"\n{more}\n'.replace("STORE", str(folder)))
        servers.append(await NatsProcess.start(folder, config, lock))
        return servers[-1]

    yield start
    await asyncio.gather(*(server.stop() for server in servers))
    os.close(lock)

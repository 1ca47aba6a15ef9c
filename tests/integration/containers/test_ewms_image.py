"""An EWMS task image under `python -m ewms.pilot`, told everything by `EWMS_PILOT_*`, between queues that others use."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from ewms.brokers.base import Broker
from ewms.brokers.embedded import EmbeddedNats
from ewms.brokers.urls import broker_for
from tests.support.containers import Engine
from tests.support.rabbitmq import RabbitmqServer

PATIENCE = 60.0
DOUBLE = "import sys; text = open(sys.argv[1]).read(); open(sys.argv[2], 'w').write(text + text)"


@asynccontextmanager
async def served(kind: str, folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """URL of a real broker of a kind."""
    if kind == "rabbitmq":
        server: RabbitmqServer = request.getfixturevalue("rabbitmq")
        yield server.url()
    else:
        async with EmbeddedNats(folder / "nats") as nats:
            yield nats.url


def environment(url: str, kind: str, image: str, queues: tuple[str, str], folder: Path) -> dict[str, str]:
    """As EWMS's own pilot is configured; nothing else is said."""
    parts = urlsplit(url)
    user, secret = unquote(parts.username or ""), unquote(parts.password or "")
    address = f"{user}@{parts.hostname}:{parts.port}{parts.path}" if secret else f"{parts.hostname}:{parts.port}"
    told = {
        "TASK_IMAGE": image,
        "TASK_ARGS": f'/usr/bin/python3 -c "{DOUBLE}" {{{{INFILE}}}} {{{{OUTFILE}}}}',
        "INFILE_EXT": ".txt",
        "OUTFILE_EXT": ".txt",
        "TIMEOUT_QUEUE_INCOMING": "5",
        "TIMEOUT_QUEUE_WAIT_FOR_FIRST_MESSAGE": "30",
        "DATA_DIR_PARENT_PATH_ON_HOST": str(folder),
    }
    for way, queue in zip(("INCOMING", "OUTGOING"), queues, strict=True):
        told |= {
            f"QUEUE_{way}": queue,
            f"QUEUE_{way}_BROKER_TYPE": kind,
            f"QUEUE_{way}_BROKER_ADDRESS": address,
            f"QUEUE_{way}_AUTH_TOKEN": secret or user,
        }
    return {f"EWMS_PILOT_{name}": value for name, value in told.items()}


async def outputs(broker: Broker, queue: str, count: int) -> list[str]:
    """So many messages of a queue, in any order."""
    found: list[str] = []
    async with asyncio.timeout(PATIENCE), await broker.consumer(queue) as consumer:
        while len(found) < count:
            for delivery in await consumer.lease(count, 1.0):
                found.append(delivery.body.decode())
                await delivery.ack()
    return sorted(found)


@pytest.mark.parametrize("kind", ["nats", "rabbitmq"])
async def test_an_image_runs_unchanged(kind: str, apptainer: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    queues = (f"in-{tmp_path.name}", f"out-{tmp_path.name}")
    async with served(kind, tmp_path, request) as url, broker_for(url) as broker:
        for queue in queues:
            await broker.declare(queue, 30.0)
        for number in range(5):
            await broker.publish(queues[0], f"event {number}\n".encode(), f"{tmp_path.name}-{number}")
        log = (tmp_path / "pilot.log").open("wb")
        pilot = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "ewms.pilot",
            env=os.environ | environment(url, kind, apptainer.image, queues, tmp_path),
            stdout=log,
            stderr=log,
        )
        try:
            assert await outputs(broker, queues[1], 5) == [f"event {number}\nevent {number}\n" for number in range(5)]
            async with asyncio.timeout(PATIENCE):
                assert await pilot.wait() == 0
        finally:
            if pilot.returncode is None:
                pilot.kill()
                await pilot.wait()
            log.close()
        said = (tmp_path / "pilot.log").read_text()
        assert (urlsplit(url).password or urlsplit(url).username or "-") not in said
        depth = await broker.depth(queues[0])
        assert (depth.ready, depth.leased) == (0, 0)
        for queue in queues:
            await broker.delete(queue)

"""The pilot as a process that knows nothing but `EWMS_PILOT_*`, where its broker fails it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ewms.brokers.urls import broker_for
from tests.integration.containers.test_ewms_image import environment, outputs
from tests.integration.pilot.test_process import Server, server
from tests.support.containers import Engine

__all__ = ["server"]
SECONDS = 60.0
TOKEN = "tok-en-of-the-queue"


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_ewms_9b_queue_tokens_are_printed_nowhere(tmp_path: Path, level: str) -> None:
    told = environment(f"nats://{TOKEN}@127.0.0.1:9", "nats", "/nowhere/image", ("in", "out"), tmp_path)
    told |= {"EWMS_PILOT_CL_LOG": level, "EWMS_PILOT_CL_LOG_THIRD_PARTY": level}
    done = subprocess.run(
        [sys.executable, "-m", "ewms.pilot"],
        env=os.environ | told,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode != 0
    assert "ERROR" in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN in path.read_text(errors="replace")]


async def test_ewms_4_5_a_lost_broker_is_found_again(server: Server, apptainer: Engine, tmp_path: Path) -> None:
    queues = ("incoming", "outgoing")
    told = environment(server.url, "nats", apptainer.image, queues, tmp_path)
    told |= {f"EWMS_PILOT_TIMEOUT_QUEUE_{name}": "60" for name in ("INCOMING", "WAIT_FOR_FIRST_MESSAGE")}
    async with broker_for(server.url, patience=SECONDS) as broker:
        for queue in queues:
            await broker.declare(queue, 30.0)
        await broker.publish(queues[0], b"before", "before")
        with (tmp_path / "pilot.log").open("wb") as log:
            pilot = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ewms.pilot", env=os.environ | told, stdout=log, stderr=log
            )
        try:
            assert await outputs(broker, queues[1], 1) == ["beforebefore"]
            server.kill()
            server.start()
            await broker.publish(queues[0], b"after", "after")
            found = await outputs(broker, queues[1], 1)
            while found != ["afterafter"]:  # an ack that the server did not get to write is as good as none
                assert found == ["beforebefore"]
                found = await outputs(broker, queues[1], 1)
            assert pilot.returncode is None
        finally:
            if pilot.returncode is None:
                pilot.terminate()
            code = await asyncio.wait_for(pilot.wait(), SECONDS)
    assert code == 0

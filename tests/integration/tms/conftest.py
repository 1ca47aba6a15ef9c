"""A broker for real pilots, a service that the test scripts, and processes that end with the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ewms.brokers.embedded import EmbeddedNats
from ewms.brokers.urls import broker_for
from ewms.core.config import PilotConfig
from ewms.core.spec import TaskSpec
from ewms.tms.backends.local import mark_of
from ewms.tms.folder import ClusterFolder
from ewms.tms.launchers.reap import kill_marked
from tests.support.scripted_service import ScriptedService

WORK, REPORTS = "work", "reports"


@pytest.fixture
async def pilot(tmp_path: Path) -> AsyncIterator[PilotConfig]:
    """What pilots are told: of a broker that runs, with queues that are empty."""
    async with EmbeddedNats(tmp_path / "broker") as server, broker_for(server.url) as broker:
        for queue in (WORK, REPORTS):
            await broker.declare(queue, 60.0)
        yield PilotConfig(
            workflow_id="WF-test",
            broker_url=server.url,
            work_queue=WORK,
            report_queue=REPORTS,
            heartbeat_topic="beats",
            command_topic="commands",
            tasks=(TaskSpec(name="t", command=("true",), input="q"),),
            broker_patience=20.0,
        )


@pytest.fixture
async def service(pilot: PilotConfig) -> AsyncIterator[ScriptedService]:
    """A service that wants nothing yet."""
    async with ScriptedService(pilot) as service:
        yield service


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ClusterFolder]:
    """The cluster's folder; pilots that a failed test leaves are killed."""
    folder = ClusterFolder(tmp_path / "data" / "tms" / "here")
    yield folder
    kill_marked(mark_of(folder))

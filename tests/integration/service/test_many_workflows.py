"""Many workflows of 4 taskforces at once, 500 in `make soak`: what the control loop does, and what is left in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ewms.core.query import Query
from ewms.core.service.phases import Phase, WorkflowState
from ewms.stores.collections import TASKFORCES, WORKFLOWS
from tests.support.ewms_v1 import a_request, eventually, play_driver
from tests.support.service import RunningService, running_service

CLIENTS = 20
CLUSTERS = {f"c{number}": {"backend": "local", "max_workers": 100_000} for number in range(4)}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[RunningService]:
    async with running_service(tmp_path, access={"anonymous": True}, clusters=CLUSTERS) as service:
        yield service


async def in_phase(service: RunningService, phase: Phase, count: int) -> None:
    """Until so many taskforces are in a phase."""

    async def arrived() -> bool:
        return await service.state.store.count(TASKFORCES, Query.parse({"phase": phase})) == count

    await eventually(arrived, f"{count} taskforces in {phase}", deadline=60.0)


@pytest.mark.parametrize("many", [100, pytest.param(500, marks=pytest.mark.soak)])
async def test_they_flow_through_and_leave_nothing_open(service: RunningService, many: int) -> None:
    request = a_request(cluster_locations=sorted(CLUSTERS), n_workers=2)
    waiting = iter(range(many))
    ids: list[str] = []

    async def submit() -> None:
        async with service.client() as http:
            for _ in waiting:
                answer = await http.post("/v1/workflows", json=request)
                ids.append(answer.json()["workflow"]["workflow_id"])

    await asyncio.gather(*(submit() for _ in range(CLIENTS)))
    assert len(set(ids)) == many

    await asyncio.gather(*(play_driver(service.state, workflow) for workflow in ids))
    await in_phase(service, Phase.PENDING_STARTER, 4 * many)

    over = {"state": WorkflowState.COMPLETE, "active": False, "deactivated": "FINISHED"}
    await asyncio.gather(*(play_driver(service.state, workflow, **over) for workflow in ids))
    await in_phase(service, Phase.CONDOR_COMPLETE, 4 * many)

    async def closed() -> bool:
        return await service.state.store.count(WORKFLOWS, Query.parse({"closed": {"$gte": 0}})) == many

    await eventually(closed, "all workflows to be closed", deadline=60.0)

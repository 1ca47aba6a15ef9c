"""What one taskforce meets says nothing of its cluster, unless nobody answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ewms.core.service.phases import Phase
from ewms.tms.backend import BackendUnavailable, Batch, NotYet
from ewms.tms.cluster import Cluster
from ewms.tms.folder import ClusterFolder
from tests.property.tms_world import ModelBackend, ModelService, World, new_taskforce

ONE = "TF-1"


class Stubborn(ModelBackend):
    """Removes nothing."""

    def __init__(self, world: World, error: Exception) -> None:
        super().__init__(world)
        self._error = error

    async def remove(self, batch: Batch, reason: str) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("error", "is_ready"),
    [
        (NotYet("slots of it do not answer yet"), True),
        (RuntimeError("a defect"), True),
        (BackendUnavailable("the schedd does not answer"), False),
    ],
)
async def test_only_a_backend_that_does_not_answer_is_lost(tmp_path: Path, error: Exception, is_ready: bool) -> None:
    world = World()
    taskforce = new_taskforce(ONE, 1)
    world.taskforces[ONE] = taskforce.model_copy(update={"phase": Phase.PENDING_STOPPER, "cluster_id": 7})
    world.batches[7] = Batch(ONE, 7, 1)
    cluster = Cluster("here", Stubborn(world, error), ModelService(world), ClusterFolder(tmp_path))
    await cluster.fetch_plan()
    begun = await cluster.compare()
    assert len(begun) == 1
    await asyncio.gather(*begun, return_exceptions=True)
    await asyncio.sleep(0)  # for the callbacks
    assert cluster.report.ready is is_ready
    assert world.taskforces[ONE].phase is Phase.PENDING_STOPPER

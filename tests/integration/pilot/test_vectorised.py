"""Vectorised consumers: equal to plain ones, and falling back to single events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from ewms.core.spec import TaskSpec
from ewms.core.wire import Failure

if TYPE_CHECKING:
    from tests.integration.pilot.conftest import Rig

Make = Callable[..., TaskSpec]
BODIES = [0.25, 1.0, 2.5]


async def test_whole_bundle_at_once(rig: Rig, python_task: Make) -> None:
    assert await rig.run(python_task("counting:Vectorised"), *BODIES) == [-0.75, -1.5, -3.0]


async def test_single_event_goes_the_plain_way(rig: Rig, python_task: Make) -> None:
    assert await rig.run(python_task("counting:Vectorised"), 1.0) == [1.5]


async def test_without_a_plain_way(rig: Rig, python_task: Make) -> None:
    ids = [*await rig.send("a", "b"), *await rig.send("c")]
    rig.start(python_task("counting:VectorisedOnly"))
    assert await rig.values(ids) == ids


@pytest.mark.parametrize("consumer", ["RaisingBatch", "ShortBatch", "CrashingBatch", "SlowBatch"])
async def test_falls_back_to_single_events(rig: Rig, python_task: Make, consumer: str) -> None:
    values = await rig.run(python_task(f"counting:{consumer}", timeout=0.7), *BODIES)
    assert values == [0.75, 1.5, 3.0]


async def test_only_the_single_failure_counts(rig: Rig, python_task: Make) -> None:
    zero, one, poison, three = await rig.run(python_task("counting:PoisonInBatch"), 0, 1, 2, 3)
    assert (zero, one, three) == (0, 1, 3)
    assert isinstance(poison, Failure)
    assert poison.reason == "ValueError: poison"

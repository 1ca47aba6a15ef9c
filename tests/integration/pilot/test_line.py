"""Short messages that a pilot holds in line: done as fast as can be, given back where they would have to wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from ewms.brokers.base import Depth
from ewms.core.spec import TaskSpec
from ewms.core.wire import Failure, Kind
from ewms.pilot import line
from tests.support.conditions import until

if TYPE_CHECKING:
    from tests.integration.pilot.conftest import Rig

Make = Callable[..., TaskSpec]


async def test_everything_in_line_is_done_and_acked(rig: Rig, python_task: Make) -> None:
    ids = await rig.send(*range(60), singly=True, ahead=8)
    rig.start(python_task("plain:echo"))
    assert await rig.values(ids) == list(range(60))
    await rig.settled()
    assert await rig.end() == 0


async def test_what_would_wait_behind_a_long_task_is_given_back(rig: Rig, python_task: Make) -> None:
    await rig.send(0.0, 3600.0, singly=True, ahead=2)
    ids = await rig.send(0.0, 0.0, singly=True, ahead=2)
    rig.start(python_task("plain:sleeps"), grace=0.1)
    outcomes = await rig.outcomes(3, within=60.0)
    for event_id in ids:
        outcome = outcomes[event_id]
        assert isinstance(outcome, Failure)
        assert (outcome.kind, outcome.attempt) == (Kind.RETURNED, 1)
    await rig.end()


async def test_a_drain_gives_back_the_line(rig: Rig, python_task: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "LONGEST_WAIT", 3600.0)
    ids = await rig.send(0.0, 3600.0, 0.0, 0.0, singly=True, ahead=2)
    pilot = rig.start(python_task("plain:sleeps"), grace=0.1)

    async def is_leased() -> bool:
        return await rig.broker.depth("work") == Depth(ready=0, leased=3)

    await until(is_leased, "the line", 60.0)
    rig.stop.set()
    outcomes = await rig.outcomes(4, within=60.0)
    assert await pilot == 0
    assert set(outcomes) == set(ids)
    assert {outcome.kind for outcome in outcomes.values() if isinstance(outcome, Failure)} == {Kind.RETURNED}
    assert await rig.broker.depth("work") == Depth(0, 0)


async def test_no_more_is_held_than_the_driver_allows(rig: Rig, python_task: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "LONGEST_WAIT", 3600.0)
    await rig.send(0.0, 0.0, *[3600.0] * 9, singly=True, ahead=3)
    rig.start(python_task("plain:sleeps"), slots=2, grace=0.1)

    async def is_full() -> bool:
        """Two busy slots and a line of six, or one less where the second slot took its message out of a full line."""
        return await rig.broker.depth("work") in {Depth(ready=1, leased=8), Depth(ready=2, leased=7)}

    await until(is_full, "a full line", 60.0)
    await rig.end()

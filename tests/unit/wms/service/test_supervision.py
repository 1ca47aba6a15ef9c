"""One loop that fails is told, started again, and stops no other."""

from __future__ import annotations

import asyncio

import pytest

from ewms.core.errors import StoreError
from ewms.wms.service import supervision
from ewms.wms.service.supervision import Supervisor


async def test_a_loop_that_fails_runs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "_FIRST_PAUSE", 0.01)
    starts = 0
    runs, steady, failed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def failing() -> None:
        nonlocal starts
        starts += 1
        asyncio.get_running_loop().call_soon(failed.set)
        if starts < 3:
            raise StoreError("the disk is away") if starts == 1 else ZeroDivisionError
        runs.set()
        await asyncio.Event().wait()

    async def sound() -> None:
        steady.set()
        await asyncio.Event().wait()

    supervisor = Supervisor({"failing": failing, "sound": sound})
    async with supervisor.running():
        await asyncio.wait_for(steady.wait(), 5)
        await asyncio.wait_for(failed.wait(), 5)
        assert supervisor.troubles == {"failing": "the disk is away"}
        await asyncio.wait_for(runs.wait(), 5)
        assert supervisor.troubles == {}
    assert starts == 3

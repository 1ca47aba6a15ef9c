"""Several clusters in one process: one that fails is named, started again, and stops no other."""

from __future__ import annotations

import asyncio

import pytest

from ewms.core.errors import InputError
from ewms.tms.supervision import HEALTHY, Supervisor, reason_of


class Fleet:
    """A cluster that works and one that fails so many times."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.failures = failures
        self.error = error
        self.starts = 0
        self.told: list[tuple[str, str]] = []
        self.healed = asyncio.Event()
        self.good_ended = False

    async def good(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self.good_ended = True

    async def bad(self, stop: asyncio.Event) -> None:
        self.starts += 1
        if self.starts <= self.failures:
            raise self.error
        self.healed.set()
        await stop.wait()

    async def tell(self, name: str, reason: str) -> None:
        self.told.append((name, reason))


async def test_a_failing_cluster_is_named_and_started_again() -> None:
    fleet = Fleet(2, InputError("no such schedd"))
    supervisor = Supervisor({"good": fleet.good, "bad": fleet.bad}, fleet.tell)
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stop))
    async with asyncio.timeout(10):
        await fleet.healed.wait()
    assert fleet.told == [("bad", "no such schedd")] * 2
    assert supervisor.health == {"good": HEALTHY, "bad": HEALTHY}
    stop.set()
    await running
    assert fleet.good_ended


async def test_health_names_the_reason_while_a_cluster_is_down(caplog: pytest.LogCaptureFixture) -> None:
    fleet = Fleet(1000, RuntimeError("a bug"))
    supervisor = Supervisor({"good": fleet.good, "bad": fleet.bad}, fleet.tell)
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stop))
    async with asyncio.timeout(10):
        while not fleet.told:  # noqa: ASYNC110  the test's own list
            await asyncio.sleep(0.01)
    assert supervisor.health == {"good": HEALTHY, "bad": "RuntimeError: a bug"}
    assert "Traceback" in caplog.text
    stop.set()
    await running


def test_the_reason_is_the_root_of_a_group() -> None:
    group = ExceptionGroup("g", [ExceptionGroup("h", [InputError("wrong key")]), ValueError("x")])
    assert reason_of(group) == "wrong key"
    assert reason_of(ValueError("x")) == "ValueError: x"

"""The local backend with real pilots: how many there are, what becomes of dead ones, what is told of them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from ewms.core.config import PilotConfig
from ewms.core.service.taskforce import PilotSpec, WorkerSpec
from ewms.tms.backend import BackendRefused, Batch, Standing
from ewms.tms.backends import _local_batch
from ewms.tms.backends.local import LocalBackend, LocalSettings, mark_of
from ewms.tms.folder import CONFIG, ClusterFolder
from ewms.tms.launchers.reap import MARK
from tests.support.taskforces import known_of, minds_signals, order, pilots

SECONDS = 30.0


class Watched:
    """A backend, and the last that it told of each taskforce."""

    def __init__(self, backend: LocalBackend) -> None:
        self.backend = backend
        self.told: dict[str, Standing] = {}

    async def listen(self) -> None:
        """Hear what it tells, for ever."""
        async for standing in self.backend.standings():
            self.told[standing.taskforce_uuid] = standing

    async def batch(self, uuid: str) -> Batch:
        """What it has of a taskforce."""
        (batch,) = [batch for batch in await self.backend.survey() if batch.taskforce_uuid == uuid]
        return batch

    def statuses(self, uuid: str) -> dict[str, dict[str, int]]:
        """Of its workers."""
        return self.told[uuid].compound_statuses if uuid in self.told else {}

    def held(self, uuid: str) -> dict[str, dict[str, int]]:
        """The statuses of those that are held."""
        return {status: workers for status, workers in self.statuses(uuid).items() if status.startswith("HELD: ")}


@asynccontextmanager
async def watched(folder: ClusterFolder, max_workers: int = 4, *, pilots_survive: bool = True) -> AsyncIterator[Watched]:
    settings = LocalSettings(max_workers=max_workers, pilots_survive=pilots_survive)
    async with LocalBackend(settings, folder, "") as backend:
        watch = Watched(backend)
        listening = asyncio.create_task(watch.listen())
        try:
            yield watch
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def until(condition: Callable[[], object], what: str) -> None:
    try:
        async with asyncio.timeout(SECONDS):
            while not condition():  # noqa: ASYNC110  processes are not events
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"waited in vain for {what}")


async def test_all_taskforces_together_have_no_more_pilots_than_allowed(folder: ClusterFolder, pilot: PilotConfig) -> None:
    async with watched(folder, max_workers=2) as local:
        await local.backend.submit(order("TF-1", 2), pilot, {})
        await until(lambda: len(pilots(folder, "TF-1")) == 2, "two pilots")
        await local.backend.submit(order("TF-2", 2), pilot, {})
        await until(lambda: local.statuses("TF-2") == {"IDLE": {"null": 2}}, "waiting workers")
        assert len(pilots(folder)) == 2
        await local.backend.resize(await local.batch("TF-1"), 1)
        await until(lambda: len(pilots(folder, "TF-2")) == 1, "a pilot in the room that was made")
        assert len(pilots(folder)) == 2


async def test_a_dead_pilot_is_replaced_and_told_of(folder: ClusterFolder, pilot: PilotConfig) -> None:
    async with watched(folder) as local:
        await local.backend.submit(order("TF-1", 1), pilot, {})
        await until(lambda: pilots(folder), "a pilot")
        (first,) = pilots(folder)
        os.kill(first, signal.SIGKILL)
        await until(lambda: pilots(folder) and first not in pilots(folder), "another pilot")
        await until(lambda: local.told["TF-1"].top_task_errors == {"it was killed by SIGKILL": 1}, "its error")


async def test_pilots_that_are_killed_again_and_again_are_held(
    folder: ClusterFolder, pilot: PilotConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_local_batch, "MAX_CRASHES", 3)
    async with watched(folder) as local:
        await local.backend.submit(order("TF-1", 1), pilot, {})
        killed: set[int] = set()
        for _ in range(3):
            await until(lambda: pilots(folder) - killed, "a pilot")
            for pid in pilots(folder) - killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
        await until(lambda: local.statuses("TF-1").get("HELD: it was killed by SIGKILL"), "a hold")
        assert not pilots(folder)
        await local.backend.remove(await local.batch("TF-1"), "test")


async def test_pilots_that_can_never_work_are_held_with_their_last_words(folder: ClusterFolder, pilot: PilotConfig) -> None:
    lost = pilot.model_copy(update={"broker_url": "carrier-pigeon://roof"})
    async with watched(folder) as local:
        await local.backend.submit(order("TF-1", 2), lost, {})
        await until(lambda: list(local.held("TF-1").values()) == [{"null": 2}], "two that are held")
        assert "carrier-pigeon" in next(iter(local.held("TF-1")))
        (error,) = local.told["TF-1"].top_task_errors
        assert "carrier-pigeon" in error
        await local.backend.remove(await local.batch("TF-1"), "test")


async def test_removing_leaves_logs_alone(folder: ClusterFolder, pilot: PilotConfig) -> None:
    async with watched(folder) as local:
        await local.backend.submit(order("TF-1", 2), pilot, {})
        await until(lambda: len(pilots(folder)) == 2, "pilots")
        batch = await local.batch("TF-1")
        await local.backend.remove(batch, "test")
        await local.backend.remove(batch, "again")
        assert not pilots(folder)
        assert await local.backend.survey() == []
        await until(lambda: local.told["TF-1"].ended_at is not None, "its end")
    left = {path.name for path in folder.taskforce("TF-1").iterdir()}
    assert left == {"pilot-1.log", "pilot-2.log"}


async def test_dead_pilots_are_replaced_by_the_next_tms(folder: ClusterFolder, pilot: PilotConfig) -> None:
    async with watched(folder) as local:
        submitted = await local.backend.submit(order("TF-1", 2), pilot, {})
        await until(lambda: len(pilots(folder)) == 2, "pilots")
    kept, lost = sorted(pilots(folder))
    os.kill(lost, signal.SIGKILL)
    async with watched(folder) as local:
        batch = await local.batch("TF-1")
        assert batch == Batch("TF-1", submitted.cluster_id, 2)
        assert await local.backend.recall(batch) == submitted
        await until(lambda: len(pilots(folder)) == 2, "another pilot")
        assert kept in pilots(folder)
        await local.backend.remove(batch, "test")
    assert not pilots(folder)


async def test_an_adopted_pilot_tells_its_exit_code_by_its_log(folder: ClusterFolder, pilot: PilotConfig) -> None:
    async with watched(folder) as local:
        await local.backend.submit(order("TF-1", 1), pilot, {})
        await until(lambda: any(minds_signals(pid) for pid in pilots(folder)), "a pilot")
    async with watched(folder) as local:
        (adopted,) = pilots(folder)
        os.kill(adopted, signal.SIGTERM)
        await until(lambda: local.statuses("TF-1").get("COMPLETED"), "its end")
        assert local.statuses("TF-1")["COMPLETED"] == {"Done": 1}
        await local.backend.remove(await local.batch("TF-1"), "test")


async def test_fresh_credentials_are_for_later_pilots(folder: ClusterFolder, pilot: PilotConfig) -> None:
    async with watched(folder) as local:
        await local.backend.submit(order("TF-1", 0), pilot, {})
        await local.backend.refresh(await local.batch("TF-1"), pilot.model_copy(update={"broker_url": "nats://fresh@x"}))
    path = folder.taskforce("TF-1") / CONFIG
    assert PilotConfig.model_validate_json(path.read_bytes()).broker_url == "nats://fresh@x"
    assert path.stat().st_mode & 0o077 == 0


async def test_pilots_get_none_of_the_secrets_of_the_tms(
    folder: ClusterFolder, pilot: PilotConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_PASSWORD", "sesame")
    async with watched(folder) as local:
        await local.backend.submit(order("TF-1", 1, pilot=PilotSpec(environment={"COLOUR": "red", MARK: "x"})), pilot, {})
        await until(lambda: pilots(folder), "a pilot")
        (pid,) = pilots(folder)
        known = known_of(pid)
        await local.backend.remove(await local.batch("TF-1"), "test")
    assert b"sesame" not in known
    assert b"COLOUR=red" in known
    assert f"{MARK}={mark_of(folder)}/TF-1/1".encode() in known
    assert pilot.broker_url.encode() not in known


@pytest.mark.parametrize(
    ("worker", "words"),
    [
        (WorkerSpec(cpus=10_000), "10000 cores"),
        (WorkerSpec(memory=1 << 60), "bytes of memory"),
        (WorkerSpec(gpus=1), "graphics processors"),
    ],
)
async def test_what_this_machine_can_never_give_is_refused(
    folder: ClusterFolder, pilot: PilotConfig, worker: WorkerSpec, words: str
) -> None:
    async with watched(folder) as local:
        with pytest.raises(BackendRefused, match=words):
            await local.backend.submit(order("TF-1", 1, worker=worker), pilot, {})
        assert await local.backend.survey() == []

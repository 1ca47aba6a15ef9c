"""A workflow whose pilots are jobs of a real HTCondor pool: real broker, real driver, real slots."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from ewms.brokers.embedded import EmbeddedNats
from ewms.brokers.urls import broker_for
from ewms.core.config import PilotConfig
from ewms.core.service.phases import Phase
from ewms.core.service.taskforce import Order, PilotSpec, TaskforceDocument, WorkerSpec
from ewms.core.spec import parse_spec
from ewms.local.ledgers import blob_store, ledger_for
from ewms.local.loading import Loaded
from ewms.stores.sqlite import SqliteJournal
from ewms.tms.backend import Batch, Standing
from ewms.tms.backends.htcondor import HtcondorBackend, HtcondorSettings
from ewms.tms.folder import ClusterFolder
from ewms.wms.driver import Driver, Queues, Stop
from tests.support.condor import CondorPool, condor_pool

__all__ = ["condor_pool"]

PATIENCE = 60.0
"""Seconds after which a test gives up waiting."""
QUICK = {"hold_seconds": 1, "admin_hold_seconds": 1, "max_tries": 2}
"""Settings of a cluster whose troubles are over soon."""
CONSUMER = """\
import time

def work(event):
    time.sleep(event["seconds"])
    return event["n"] * event["n"]

def broken(event):
    import a_module_that_is_not_there
"""


async def until(condition: Callable[[], Coroutine[Any, Any, Any]], what: str, patience: float = PATIENCE) -> Any:
    """The first true value of a condition; fails the test after a while."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if value := await condition():
            return value
        await asyncio.sleep(0.05)
    pytest.fail(f"waited {patience} s in vain for {what}")


class Work:
    """A workflow of equal events, driven in this process.

    Parameters
    ----------
    folder
        The test's.
    events
        How many.
    seconds
        Each takes.
    """

    def __init__(self, folder: Path, events: int, seconds: float = 0.01, consumer: str = "work:work") -> None:
        self.workflow_id = f"WF-{folder.name[-20:].strip('-_')}"
        self.code = folder / "uploads" / "code" / "work.py"
        self.code.parent.mkdir(parents=True, exist_ok=True)
        self.code.write_text(CONSUMER)
        inputs = folder / "input.jsonl"
        inputs.write_text("".join(json.dumps({"n": n, "seconds": seconds}) + "\n" for n in range(events)))
        spec = {"name": "squares", "tasks": [{"name": "square", "input": "in", "python": consumer, "bundle": 1}]}
        self._loaded = Loaded(parse_spec(spec, "the test"), [str(self.code.parent)], pilots_here=False)
        self._inputs = [inputs]
        self._folder = folder
        self.driver: Driver
        self.config: PilotConfig
        self._driving: asyncio.Task[Any]

    @asynccontextmanager
    async def driven(self, backend: HtcondorBackend, lease: float = 2.0) -> AsyncIterator[None]:
        """Drive it inside the context, at whose end the backend has nothing left."""
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(EmbeddedNats(self._folder / "broker"))
            broker = await stack.enter_async_context(broker_for(server.url))
            journal = stack.enter_context(SqliteJournal(self._folder / "journal.sqlite"))
            limit = broker.capabilities.max_message_bytes
            store = blob_store("", limit)
            ledger = ledger_for(self._loaded, self._loaded.application(self._inputs), journal, store, limit)
            queues = Queues.of(self.workflow_id)
            self.driver = Driver(ledger, broker, queues, lease=lease, pilots_survive=True)
            self._driving = asyncio.create_task(self.driver.run())
            self.config = PilotConfig(
                workflow_id=self.workflow_id,
                broker_url=server.url,
                work_queue=queues.work,
                report_queue=queues.reports,
                heartbeat_topic=queues.heartbeats,
                command_topic=queues.commands,
                tasks=self._loaded.graph.tasks,
                lease=lease,
                grace=2.0,
                heartbeat=0.5,
                broker_patience=20.0,
            )
            await self.driver.ready.wait()
            try:
                yield
            finally:
                await clear(backend)
                self.driver.stop(Stop.RELEASED)
                self.driver.pilots_gone()
                with suppress(asyncio.CancelledError):
                    await self._driving

    @property
    def accepted(self) -> int:
        """Events with an outcome."""
        return self.driver.ledger.counters.accepted

    async def complete(self, patience: float = PATIENCE) -> None:
        """Wait until every event has its outcome, and tell pilots that no more comes."""
        async with asyncio.timeout(patience):
            await asyncio.shield(self._driving)
        await self.driver.command("end")

    def order(self, uuid: str = "TF-1", workers: int = 2, **worker: Any) -> Order:
        """What a TMS would be told."""
        files = {"code/work.py": hashlib.sha256(self.code.read_bytes()).hexdigest()}
        asked = {"memory": 128 << 20, "disk": 64 << 20} | worker
        taskforce = TaskforceDocument(
            taskforce_uuid=f"{uuid}-{self.workflow_id}",
            task_id="TD-1",
            workflow_id=self.workflow_id,
            timestamp=0.0,
            priority=50,
            cluster="test",
            n_workers=workers,
            workers=workers,
            worker=WorkerSpec(**asked),
            pilot=PilotSpec(files=files),
            phase=Phase.PENDING_STARTER,
        )
        return Order(taskforce=taskforce, version=1)

    @property
    def files(self) -> dict[str, Path]:
        """Its uploads."""
        return {"code/work.py": self.code}


class Listener:
    """Hears what a backend says, and remembers the last of each taskforce."""

    def __init__(self, backend: HtcondorBackend) -> None:
        self.last: dict[str, Standing] = {}
        self.heard: list[Standing] = []
        self._task = asyncio.create_task(self._listen(backend))

    async def _listen(self, backend: HtcondorBackend) -> None:
        async for standing in backend.standings():
            self.last[standing.taskforce_uuid] = standing
            self.heard.append(standing)

    async def wait(self, condition: Callable[[Standing], object], what: str, patience: float = PATIENCE) -> Standing:
        """The first standing that is so; fails the test after a while."""

        async def look() -> Standing | None:
            if self._task.done():
                self._task.result()
            return next((standing for standing in self.heard if condition(standing)), None)

        found: Standing = await until(look, f"{what}; last heard: {list(self.last.values())}", patience)
        return found

    async def close(self) -> None:
        """Stop listening."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@asynccontextmanager
async def serving(pool: CondorPool, folder: Path, *, alone: bool = False) -> AsyncIterator[HtcondorBackend]:
    """A backend whose troubles are over soon; all that it submitted is removed at the end."""
    settings = HtcondorSettings.model_validate({"config": str(pool.config)} | QUICK)
    with pool.used(alone=alone):
        async with HtcondorBackend(settings, ClusterFolder(folder / "tms"), f"test {folder}") as backend:
            try:
                yield backend
            finally:
                await clear(backend)


@pytest.fixture
async def backend(condor_pool: CondorPool, tmp_path: Path) -> AsyncIterator[HtcondorBackend]:
    """Of a pool that others may use at the same time."""
    async with serving(condor_pool, tmp_path) as backend:
        yield backend


@pytest.fixture
async def lonely_backend(condor_pool: CondorPool, tmp_path: Path) -> AsyncIterator[HtcondorBackend]:
    """Of a pool that nobody else uses meanwhile."""
    async with serving(condor_pool, tmp_path, alone=True) as backend:
        yield backend


async def clear(backend: HtcondorBackend) -> None:
    """Remove everything that a backend has."""
    await asyncio.gather(*(backend.remove(batch, "the test is over") for batch in await backend.survey()))


def processes(pool: CondorPool, name: str) -> list[psutil.Process]:
    """The pool's processes of that name, and of none of another pool."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.name() == name and process.environ().get("CONDOR_CONFIG") == str(pool.config):
                found.append(process)
    return found


def shadows(pool: CondorPool, cluster: int) -> list[psutil.Process]:
    """The shadows of a cluster."""
    found = []
    for process in processes(pool, "condor_shadow"):
        with suppress(psutil.NoSuchProcess):  # it has ended since
            if f" {cluster}." in " ".join(process.cmdline()):
                found.append(process)
    return found


def starters(pool: CondorPool, cluster: int) -> list[psutil.Process]:
    """The starters of a cluster whose pilots run."""
    found = []
    for process in processes(pool, "condor_starter"):
        with suppress(psutil.Error, OSError):
            (child, *_) = [child for child in process.children() if child.name() != "condor_procd"] or [None]
            if child and f"\nClusterId = {cluster}\n" in Path(child.cwd(), ".job.ad").read_text():
                found.append(process)
    return found


async def only_batch(backend: HtcondorBackend) -> Batch:
    """The one batch that it has."""
    (batch,) = await backend.survey()
    return batch

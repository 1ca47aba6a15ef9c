"""Pilots as processes of this machine, for many taskforces at once. They outlive their TMS, and the next one adopts them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from ewms.core.config import PilotConfig
from ewms.core.service.taskforce import Order, WorkerSpec
from ewms.tms.backend import Backend, BackendRefused, Batch, Standing, Submitted
from ewms.tms.backends._local_batch import SCRATCH, LocalBatch
from ewms.tms.backends._local_nursery import Nursery
from ewms.tms.backends._local_record import Record, read_record
from ewms.tms.backends._pilot_process import is_pilot
from ewms.tms.folder import CONFIG, ClusterFolder, write_private
from ewms.tms.launchers.reap import kill_marked, marked
from ewms.tms.uploads import placed

_PASSED_ON = frozenset({
    "CUDA_VISIBLE_DEVICES", "HOME", "LANG", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "PYTHONPATH", "SSL_CERT_DIR",
    "SSL_CERT_FILE", "TMPDIR", "TZ", "USER", "VIRTUAL_ENV", "XDG_RUNTIME_DIR",
})  # fmt: skip
"""Variables of the TMS that pilots get; others may hold its secrets."""


def _cores() -> int:
    return len(os.sched_getaffinity(0))


class LocalSettings(BaseModel):
    """The table of a local cluster in `ewms.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_workers: int = Field(default_factory=_cores, ge=1)
    """Pilots at the same time, of all taskforces together; as many as cores if left out."""
    environment: dict[str, str] = {}
    """Variables of every pilot."""
    pilots_survive: bool = True
    """Whether pilots go on when the TMS ends, to be adopted by the next; otherwise they end with it."""
    preload: tuple[str, ...] = ()
    """Installed applications for which pilots are forked from a process that has loaded what they run; they must survive."""


class LocalBackend(Backend):
    """Needs nobody, so it is never unavailable.

    Parameters
    ----------
    settings
        From the configuration file.
    folder
        Where configurations and logs of pilots go.
    owner
        Not needed: the folder tells whose pilots they are.
    """

    Settings: ClassVar = LocalSettings

    def __init__(self, settings: LocalSettings, folder: ClusterFolder, owner: str) -> None:
        self._settings = settings
        self._folder = folder
        self._mark = mark_of(folder)
        self._batches: dict[str, LocalBatch] = {}
        self._changed: dict[str, LocalBatch] = {}
        self._over: list[Standing] = []
        self._news = asyncio.Event()
        self._fill_is_due = False
        self._last_id = 0
        own = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith("LC_")}
        self._environment = own | settings.environment
        self._nursery: Nursery | None = None
        if settings.preload and settings.pilots_survive:
            log = folder.path / "nursery.log"
            self._nursery = Nursery(settings.preload, self._environment, self._mark, log)

    async def __aenter__(self) -> Self:
        for path in self._folder.taskforces.iterdir():
            record = read_record(path)
            if record is not None:
                self._batches[record.taskforce_uuid] = self._batch(record)
        await self._adopt()
        if self._nursery is not None:
            self._nursery.start()
        for batch in self._batches.values():
            self._on_change(batch)
        return self

    async def survey(self) -> list[Batch]:
        """See `Backend.survey`."""
        return [batch.record.batch for batch in self._batches.values()]

    async def submit(self, order: Order, config: PilotConfig, files: Mapping[str, Path]) -> Submitted:
        """See `Backend.submit`."""
        taskforce = order.taskforce
        _check(taskforce.worker)
        folder = self._folder.taskforce(taskforce.taskforce_uuid)
        root = next((str(path).removesuffix(f"/{name}") for name, path in files.items()), "")
        mine = placed(config, taskforce.pilot.files, root).model_copy(
            update={
                "scratch": str(folder / SCRATCH),
                "parent": None if self._settings.pilots_survive else os.getpid(),
            }
        )
        (folder / SCRATCH).mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(folder / CONFIG, mine.model_dump_json().encode())
        self._last_id = max(self._last_id + 1, time.time_ns() // 1_000_000)
        record = Record(
            taskforce_uuid=taskforce.taskforce_uuid,
            cluster_id=self._last_id,
            workers=taskforce.workers,
            priority=taskforce.priority,
            max_runtime=taskforce.worker.max_runtime,
            environment=taskforce.pilot.environment,
            is_forkable=not taskforce.pilot.environment and not mine.search_path,
            submit_dict={
                "executable": "python -m ewms.pilot",
                "arguments": str(folder / CONFIG),
                "queue": taskforce.workers,
            },
        )
        record.write(folder)
        self._batches[taskforce.taskforce_uuid] = batch = self._batch(record)
        self._on_change(batch)
        return record.submitted(folder)

    async def recall(self, batch: Batch) -> Submitted:
        """See `Backend.recall`."""
        folder = self._folder.taskforce(batch.taskforce_uuid)
        return self._batches[batch.taskforce_uuid].record.submitted(folder)

    async def refresh(self, batch: Batch, config: PilotConfig) -> None:
        """See `Backend.refresh`."""
        path = self._folder.taskforce(batch.taskforce_uuid) / CONFIG
        before = PilotConfig.model_validate_json(path.read_bytes())
        after = before.model_copy(update={"broker_url": config.broker_url, "blob_url": config.blob_url})
        write_private(path, after.model_dump_json().encode())

    async def resize(self, batch: Batch, workers: int) -> None:
        """See `Backend.resize`."""
        self._batches[batch.taskforce_uuid].resize(workers)

    async def exclude(self, batch: Batch, sites: Sequence[str]) -> None:
        """See `Backend.exclude`. There is but one site."""

    async def remove(self, batch: Batch, reason: str) -> None:
        """See `Backend.remove`."""
        gone = self._batches.get(batch.taskforce_uuid)
        if gone is None:
            return
        await gone.remove()
        del self._batches[batch.taskforce_uuid]
        self._changed.pop(batch.taskforce_uuid, None)
        self._over.append(gone.standing(over=True))
        self._news.set()

    async def standings(self) -> AsyncIterator[Standing]:
        """See `Backend.standings`."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._over:
                yield self._over.pop(0)
            while self._changed:
                yield self._changed.popitem()[1].standing()

    async def close(self) -> None:
        """See `Backend.close`."""
        if self._nursery is not None:
            self._nursery.close()
        for batch in self._batches.values():
            batch.let_go()

    def _batch(self, record: Record) -> LocalBatch:
        uuid = record.taskforce_uuid
        folder = self._folder.taskforce(uuid)
        return LocalBatch(record, folder, f"{self._mark}/{uuid}", self._environment, self._on_change, nursery=self._nursery)

    async def _adopt(self) -> None:
        """Take over the pilots of known batches, and end everything else that carries the mark of this TMS."""
        found = await asyncio.to_thread(list, marked(self._mark))
        adopted = set()
        for pid, rest in found:
            _, uuid, number = rest.split("/")
            if uuid in self._batches and is_pilot(pid):
                self._batches[uuid].adopt(int(number), pid)
                adopted.add(rest)
        for rest in {rest for _, rest in found} - adopted:
            await asyncio.to_thread(kill_marked, self._mark + rest)

    def _on_change(self, batch: LocalBatch) -> None:
        self._changed[batch.record.taskforce_uuid] = batch
        self._news.set()
        if not self._fill_is_due:  # many changes come together
            self._fill_is_due = True
            asyncio.get_running_loop().call_soon(self._fill)

    def _fill(self) -> None:
        """Start pilots where they are missing, as long as there is room."""
        self._fill_is_due = False
        room = self._settings.max_workers - sum(batch.processes for batch in self._batches.values())
        for batch in sorted(self._batches.values(), key=lambda batch: (-batch.record.priority, batch.record.cluster_id)):
            while room > 0 and batch.needs > 0:
                batch.start()
                room -= 1


def mark_of(folder: ClusterFolder) -> str:
    """What all pilots of a cluster have in their environment, and no others of this machine."""
    return "TMS-" + hashlib.sha256(str(folder.path).encode()).hexdigest()[:12]


def _check(worker: WorkerSpec) -> None:
    """`BackendRefused` where this machine can never give what a worker asks for."""
    if worker.cpus > _cores():
        raise BackendRefused(f"a worker asks for {worker.cpus} cores, this machine has {_cores()}; ask for fewer")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if worker.memory > memory:
        raise BackendRefused(f"a worker asks for {worker.memory} bytes of memory, this machine has {memory}; ask for less")
    if worker.gpus:
        raise BackendRefused("a worker asks for graphics processors, a local cluster gives none; use another cluster")

"""Pilots of one local run as jobs of HTCondor: a cluster as under a TMS, kept by the process that runs the workflow."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ewms.core.config import PilotConfig
from ewms.core.errors import UsageError
from ewms.core.service.files import CODE, CONTEXT
from ewms.core.service.phases import Phase
from ewms.core.service.taskforce import Order, PilotSpec, TaskforceDocument, WorkerSpec
from ewms.core.spec import TaskSpec
from ewms.tms.backend import BackendUnavailable, Standing
from ewms.tms.backends._htcondor_pool import Pool, bindings
from ewms.tms.backends.htcondor import HtcondorBackend, HtcondorSettings
from ewms.tms.folder import ClusterFolder
from ewms.tms.launchers.base import Launcher
from ewms.tms.statuses import JobStatus

logger = logging.getLogger("ewms.launcher")

_LOOK_SECONDS = 2.0
_PATIENCE = 5.0
_IN_A_SLOT = {"slots": 1, "scratch": "", "context": (), "search_path": (), "working_directory": "", "blob_url": ""}
"""What a pilot's configuration is where nothing of this machine is to be seen: everything is carried there."""
_MAX_FAILURES = 8
_ADDRESS = re.compile(r"<\[?([0-9a-fA-F.:]+?)\]?:\d+")
_DEFAULT = WorkerSpec()
_HOPELESS = ("the pilot ended with exit code 2", "the pilot ended with exit code 4", "the pilot could not be started")


class HtcondorLauncher(Launcher):
    """Submits a cluster at the access point of this machine; one worker per slot.

    Jobs outlive this process, and find the workflow again when it is resumed: its broker keeps address and token.

    Parameters
    ----------
    folder
        Where configurations, event logs and output of the pilots go; for the owner only.
    settings
        How the access point is used.
    code
        Files that consumers need, by their names in the slot's `code/`: slots share no file system with us.

    Raises
    ------
    UsageError
        HTCondor's bindings are not installed, or its configuration is not there.
    """

    pilots_survive = True
    shares_files = False

    def __init__(self, folder: Path, settings: HtcondorSettings, code: Mapping[str, Path]) -> None:
        bindings(settings.config)
        self._settings = settings
        self._folder = ClusterFolder(folder)
        self._code = code
        self._backend = HtcondorBackend(settings, self._folder, f"run {self._folder.path}")
        self._broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_started = False
        self._done = 0
        self._done_at_failure = 0
        self._failures = 0

    async def start(self, config: PilotConfig, workers: int) -> None:
        """See `Launcher.start`. What an earlier process of this run has submitted is taken over.

        Raises `UsageError` where slots could not reach the broker, `BackendUnavailable` where there is no schedd.
        """
        await refuse_unreachable(Pool(self._settings.config, self._settings.schedd), config.broker_url)
        files = {CODE + name: path for name, path in self._code.items()}
        files |= {CONTEXT + file.name: Path(file.path) for file in config.context}
        digests = await asyncio.to_thread(_digests, files)
        config = config.model_copy(update=_IN_A_SLOT)
        order = _order(config, workers, digests)
        self._is_started = True
        if not await self._submit_if_gone(order, config, files):
            (batch, *_) = await self._backend.survey()
            await self._backend.refresh(batch, config)
            await self._backend.resize(batch, workers)
        self._tasks = [asyncio.create_task(self._keep(order, config, files)), asyncio.create_task(self._listen())]

    async def wait_broken(self) -> str:
        """See `Launcher.wait_broken`."""
        return await asyncio.shield(self._broken)

    def note_progress(self, done: int) -> None:
        """See `Launcher.note_progress`."""
        self._done = done

    async def stop(self, grace: float) -> None:
        """See `Launcher.stop`. Where the schedd does not answer in time, jobs are left, and taken over by `ewms resume`."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        deadline = time.monotonic() + max(grace, _PATIENCE)
        while self._is_started:
            try:
                for batch in await self._backend.survey():
                    await self._backend.remove(batch, "ewms: the run has ended")
                self._is_started = False
            except BackendUnavailable as error:
                if time.monotonic() > deadline:
                    logger.warning("cluster_left reason=%s", error)
                    return
                await asyncio.sleep(_LOOK_SECONDS)

    async def _submit_if_gone(self, order: Order, config: PilotConfig, files: Mapping[str, Path]) -> bool:
        """Submit unless there is a cluster; whether there was none. Looking at it wakes up one that was held as a whole."""
        if await self._backend.survey():
            return False
        await self._backend.submit(order, config, files)
        return True

    async def _keep(self, order: Order, config: PilotConfig, files: Mapping[str, Path]) -> None:
        """Submit again what a person removed."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                if await self._submit_if_gone(order, config, files):
                    logger.warning("cluster_replaced taskforce=%s", order.taskforce.taskforce_uuid)
            except BackendUnavailable as error:
                logger.warning("backend_unavailable reason=%s", error)

    async def _listen(self) -> None:
        held = 0
        async for standing in self._backend.standings():
            held, before = _held(standing), held
            if held > before:
                self._judge(standing)

    def _judge(self, standing: Standing) -> None:
        """A worker is held: perhaps all of them will be."""
        if self._done > self._done_at_failure:
            self._failures = 0
        self._done_at_failure = self._done
        self._failures += 1
        reasons = [status for status in standing.compound_statuses if status.startswith(JobStatus.HELD)]
        error = next(iter(standing.top_task_errors), reasons[0])
        logger.warning("pilot_ended reason=%s", error)
        is_hopeless = any(hopeless in reason for reason in reasons for hopeless in _HOPELESS)
        is_over = (is_hopeless and self._done == 0) or self._failures >= _MAX_FAILURES
        if is_over and not self._broken.done():
            self._broken.set_result(f"pilots fail on HTCondor's slots: {error}")


def _held(standing: Standing) -> int:
    statuses = standing.compound_statuses.items()
    return sum(sum(pilots.values()) for status, pilots in statuses if status.startswith(JobStatus.HELD))


async def refuse_unreachable(pool: Pool, broker_url: str) -> None:
    """`UsageError` if the broker listens on this machine alone, and some slots are on others."""
    host = urlsplit(broker_url).hostname or ""
    if not _is_loopback(host):
        return
    elsewhere = sorted(
        {address for text in await pool.addresses() for address in _ADDRESS.findall(text) if not _is_here(address)}
    )
    if elsewhere:
        raise UsageError(
            f"HTCondor has slots on other machines, such as {elsewhere[0]}, which cannot reach the broker at {host}; "
            "name one that they can reach by --broker URL"
        )


def _is_loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")


def _is_here(address: str) -> bool:
    """Whether this is an address of this machine: then, and only then, can it be listened at."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _order(config: PilotConfig, workers: int, digests: dict[str, str]) -> Order:
    uuid = f"TF-{config.workflow_id}"
    taskforce = TaskforceDocument(
        taskforce_uuid=uuid,
        task_id=config.tasks[0].name,
        workflow_id=config.workflow_id,
        timestamp=0.0,
        priority=0,
        cluster="htcondor",
        n_workers=workers,
        workers=workers,
        worker=_needs(config.tasks),
        pilot=PilotSpec(files=digests),
        phase=Phase.PENDING_STARTER,
    )
    return Order(taskforce=taskforce, version=0)


def _needs(tasks: tuple[TaskSpec, ...]) -> WorkerSpec:
    """What a worker asks for that can do every task."""
    return WorkerSpec(
        cpus=max(task.resources.cpus for task in tasks),
        memory=max(task.resources.memory or _DEFAULT.memory for task in tasks),
        disk=max(task.resources.disk or _DEFAULT.disk for task in tasks),
        gpus=max(task.resources.gpus for task in tasks),
        return_output=True,
    )


def _digests(files: Mapping[str, Path]) -> dict[str, str]:
    digests = {}
    for name, path in files.items():
        with path.open("rb") as file:
            digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests

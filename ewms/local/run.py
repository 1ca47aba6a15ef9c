"""One workflow on this machine, from events to product: broker, journal, driver and pilots put together."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ewms.blobs import BlobStore
from ewms.brokers.urls import redact
from ewms.core.config import ContextFile, PilotConfig
from ewms.core.errors import EwmsError, WorkflowFailed
from ewms.core.spec import TaskSpec
from ewms.local.broker import Connected, connected_broker
from ewms.local.directory import RunDirectory
from ewms.local.ledgers import blob_store, ledger_for
from ewms.local.loading import AnyApplication, Loaded, importable
from ewms.local.product import remove_partials, replacing
from ewms.local.progress import Meter, Progress
from ewms.local.results import Results
from ewms.local.watching import Watch
from ewms.stores.base import Journal
from ewms.stores.sqlite import SqliteJournal
from ewms.tms.launchers.base import Launcher
from ewms.tms.launchers.local import LocalLauncher
from ewms.wms.driver import Driver, Queues, Stop
from ewms.wms.hosting import Host
from ewms.wms.pilots import timely

_TEAR_DOWN = 2.0
_DRAIN_MARGIN = 5.0


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to run, as against what."""

    workers: int
    """Events worked on at once."""
    broker: str | None = None
    """URL of a broker; None starts a private one."""
    lease: float = 60.0
    """Seconds after which the loss of a pilot is noticed."""
    grace: float = 10.0
    """Seconds that pilots get to finish what they hold when the run is interrupted."""
    backend: str = "local"
    """Where pilots run."""


MakeLauncher = Callable[[str, Loaded, Path], Launcher]
"""From a backend's name, a workflow and a folder for the launcher's files."""


def local_launcher(_backend: str, _loaded: Loaded, folder: Path) -> Launcher:
    """Pilots as processes of this machine, whatever the name."""
    return LocalLauncher(folder)


class LocalRun:
    """One life of a workflow's driver on this machine, in one run directory that the caller has locked.

    Parameters
    ----------
    loaded
        The checked workflow.
    application
        A new instance of its application.
    directory
        Where everything goes.
    record
        `workflow_id`, `name` and what `ewms resume` needs to load the workflow again; kept in the journal.
    on_progress
        Called in the event loop, a few times a second while something changes.
    independent_start
        See `Host`.
    """

    def __init__(
        self,
        loaded: Loaded,
        application: AnyApplication,
        directory: RunDirectory,
        options: Options,
        *,
        record: Mapping[str, Any],
        on_progress: Callable[[Progress], None] = lambda progress: None,
        independent_start: bool = False,
        make_launcher: MakeLauncher = local_launcher,
    ) -> None:
        self._make_launcher = make_launcher
        self._loaded = loaded
        self._application = application
        self._directory = directory
        self._workflow_id: str = record["workflow_id"]
        self._options = options
        self._record = record
        self._on_progress = on_progress
        self._independent_start = independent_start
        self._stop: asyncio.Future[Stop] = asyncio.get_running_loop().create_future()
        self._hurry = asyncio.Event()
        self._driver: Driver | None = None

    def stop(self, how: Stop) -> None:
        """End before the workflow is complete: interrupted, to be resumed, or cancelled for good.

        A second call waits for nothing more: what runs is killed, and is run again when the workflow is resumed.
        """
        if self._stop.done():
            self._hurry.set()
        else:
            self._stop.set_result(how)

    async def run(self) -> dict[str, Any]:
        """Run to the end and return the summary, which is written in any case.

        Raises `EwmsError` if the workflow cannot go on; what was accepted until then is kept, and `ewms resume` goes on.
        """
        remove_partials(self._directory.path)
        # An application may import modules beside it at any time.
        with importable(self._loaded.search_path), SqliteJournal(self._directory.journal) as journal:
            results = Results(self._directory, journal, self._record, [task.name for task in self._loaded.graph.tasks])
            state, reason, failure = "failed", "", None
            try:
                async with connected_broker(self._directory, self._options.broker) as connected:
                    state = await self._drive(journal, results, connected)
            except EwmsError as error:
                reason, failure = str(error), error
            try:
                summary = results.leave(state, reason, self._driver)
            except EwmsError as error:
                raise failure or error from error
        if failure is not None:
            raise failure
        return summary

    async def _drive(self, journal: Journal, results: Results, connected: Connected) -> str:
        """Drive with pilots until the end; the workflow's state then."""
        broker, url, wait_broker = connected
        tasks = timely(self._loaded.graph.tasks, broker.capabilities.max_lease_seconds, redact(url))
        limit = broker.capabilities.max_message_bytes
        launcher = self._make_launcher(self._options.backend, self._loaded, self._directory.pilots)
        store = blob_store(str(self._directory.blobs.resolve()) if launcher.shares_files else "", limit)
        ledger = ledger_for(
            self._loaded, self._application, journal, store, limit, independent_start=self._independent_start
        )
        host = ledger.host
        ledger.outbox.slots = self._options.workers
        queues = Queues.of(self._workflow_id)
        changed = asyncio.Event()
        driver = Driver(
            ledger,
            broker,
            queues,
            lease=self._options.lease,
            pilots_survive=launcher.pilots_survive,
            on_change=changed.set,
        )
        self._driver = driver
        meter = Meter(self._workflow_id, driver)

        def on_progress(progress: Progress) -> None:
            launcher.note_progress(meter.done)
            self._on_progress(progress)

        try:
            async with Watch(meter, changed, on_progress, host, self._directory.partial):
                self._clear_scratch()
                self._directory.scratch.mkdir()
                config = self._pilot_config(url, tasks, queues, store, self._write_context(host))
                await self._race(driver, launcher, config, wait_broker)
            if ledger.complete:
                await driver.command("end")
                # Pilots take a moment to end, which is enough for a small product.
                await asyncio.gather(
                    launcher.stop(_TEAR_DOWN), asyncio.to_thread(results.write_product, host, ledger.router)
                )
        finally:
            await launcher.stop(_TEAR_DOWN)
            self._clear_scratch()
        self._on_progress(meter.read("finished"))
        if not ledger.complete:
            return self._stop.result().value
        await driver.delete_queues()
        return "complete"

    async def _race(
        self,
        driver: Driver,
        launcher: Launcher,
        config: PilotConfig,
        wait_broker: Callable[[], Awaitable[str]],
    ) -> None:
        """Until the driver is done, a stop is asked for, or pilots or server cannot be kept alive."""
        driving = asyncio.create_task(driver.run())
        broken = asyncio.create_task(_first(launcher.wait_broken(), wait_broker()))
        ready = asyncio.create_task(driver.ready.wait())
        try:
            await asyncio.wait({driving, ready}, return_when=asyncio.FIRST_COMPLETED)
            if not driving.done():
                await launcher.start(config, self._options.workers)
            ends: set[asyncio.Future[Any]] = {driving, broken, self._stop}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if not driving.done():
                await self._wind_down(driver, launcher)
            await driving
            if broken.done():
                raise WorkflowFailed(broken.result())
        finally:
            for task in (driving, broken, ready):
                task.cancel()
            await asyncio.gather(driving, broken, ready, return_exceptions=True)

    async def _wind_down(self, driver: Driver, launcher: Launcher) -> None:
        if self._stop.done() and self._stop.result() is Stop.CANCELLED:
            await driver.command("cancel")
            driver.stop(Stop.CANCELLED)
            await launcher.stop(1.0)
            return
        driver.stop(Stop.INTERRUPTED)
        # Pilots report what they finish and return meanwhile; the driver accepts it.
        draining = asyncio.create_task(launcher.stop(self._options.grace + _DRAIN_MARGIN))
        hurrying = asyncio.create_task(self._hurry.wait())
        await asyncio.wait({draining, hurrying}, return_when=asyncio.FIRST_COMPLETED)
        for task in (draining, hurrying):
            task.cancel()
        await asyncio.gather(draining, hurrying, return_exceptions=True)
        await launcher.stop(0.0)
        driver.pilots_gone()

    def _clear_scratch(self) -> None:
        """Pilots clean up after themselves, unless they are killed."""
        shutil.rmtree(self._directory.scratch, ignore_errors=True)

    def _write_context(self, host: Host) -> tuple[ContextFile, ...]:
        folder = self._directory.context
        folder.mkdir(exist_ok=True)
        files = []
        for name, data in host.context().items():
            digest = hashlib.sha256(data).hexdigest()
            path = folder / digest
            with replacing(path) as stream:
                stream.write(data)
            files.append(ContextFile(name=name, path=str(path.resolve()), sha256=digest))
        return tuple(files)

    def _pilot_config(
        self, url: str, tasks: tuple[TaskSpec, ...], queues: Queues, store: BlobStore, context: tuple[ContextFile, ...]
    ) -> PilotConfig:
        return PilotConfig(
            workflow_id=self._workflow_id,
            broker_url=url,
            work_queue=queues.work,
            report_queue=queues.reports,
            heartbeat_topic=queues.heartbeats,
            command_topic=queues.commands,
            tasks=tasks,
            context=context,
            scratch=str(self._directory.scratch.resolve()),
            lease=self._options.lease,
            grace=self._options.grace,
            search_path=self._loaded.search_path,
            working_directory=self._loaded.search_path[0] if self._loaded.search_path else "",
            blob_url=store.url,
            blob_threshold=store.threshold,
        )


async def _first(*reasons: Awaitable[str]) -> str:
    """The first of several reasons that comes."""
    tasks = [asyncio.ensure_future(reason) for reason in reasons]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

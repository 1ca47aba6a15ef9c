"""One life of a hosted workflow's driver: from the journal as it stands to an end."""

from __future__ import annotations

import asyncio
import enum
import time
from functools import partial

from ewms.core.errors import EwmsError, StoreError
from ewms.core.service.files import CONTEXT
from ewms.core.service.phases import Wish, WorkflowState
from ewms.drive.application import Process
from ewms.drive.finishing import Work, finish
from ewms.drive.keeping import registered
from ewms.drive.loading import Ready, is_foreign, load
from ewms.drive.partials import Partials
from ewms.drive.public import PublicQueues
from ewms.drive.record import Record
from ewms.drive.replays import carry_out
from ewms.drive.services import Services
from ewms.drive.standing import Standing
from ewms.drive.workspace import Workspace
from ewms.local.ledgers import blob_store, ledger_for
from ewms.local.results import Results
from ewms.stores.base import Journal
from ewms.wms.driver import Driver, Queues, Stop
from ewms.wms.egress import Egress
from ewms.wms.feed import MakeFeed, SourceFeed
from ewms.wms.ingest import PublicFeed
from ewms.wms.ledger import Ledger
from ewms.wms.pilots import blobs_of, timely
from ewms.wms.routing import Router

_TICK = 2.0
_REPORT_SECONDS = 0.5


class Ending(enum.Enum):
    """How a life ended, where it did not fail."""

    FINAL = "final"
    """The workflow is complete or cancelled, and the host has it no more."""
    RELEASED = "released"
    """Another host is to go on."""
    AGAIN = "again"
    """Another life is to follow here."""


class Life:
    """Drives until the workflow is final, fails or is given away.

    Parameters
    ----------
    record
        The workflow's document.
    services
        The host's.
    """

    def __init__(self, record: Record, services: Services) -> None:
        self._record = record
        self._services = services
        self._queues = Queues.of(record.workflow_id)
        self._work: Work | None = None
        self._stop: Stop | None = None
        self._is_again = False
        self._changed = asyncio.Event()

    def release(self) -> None:
        """Let another host go on."""
        self._end(Stop.RELEASED)

    def heed(self) -> None:
        """Do what the document's wishes are, as it stands now; may be called at any time, and again."""
        if self._work is None:
            return
        document, driver = self._record.document, self._work.driver
        driver.pause(document.wish is Wish.PAUSE)
        if document.wish is Wish.CANCEL:
            self._end(Stop.CANCELLED)
        elif document.wish is Wish.FINISH and document.origin == "v1":
            # EWMS's clients call it when they have what they want, and its pilots are stopped at once.
            self._end(Stop.INTERRUPTED)
            driver.pilots_gone()
        elif document.wish is Wish.FINISH:
            driver.finish()
        if document.replay:
            self._is_again = True
            self._end(Stop.RELEASED)
        self._changed.set()

    async def run(self) -> Ending:
        """Live once.

        Raises
        ------
        StaleEpoch
            Another host has the workflow.
        EwmsError
            The workflow cannot go on, or store or broker are away.
        """
        document, services = self._record.document, self._services
        folder = services.settings.folder / document.driver.host / document.workflow_id
        workspace = Workspace(folder, document.files)
        process: Process | None = None
        try:
            await asyncio.to_thread(workspace.fill, services.files)
            if is_foreign(document, workspace):
                # Forked by this thread, for Linux ends it with the thread that did.
                process = Process(workspace.code, workspace.directory.private / "application.log")
            ready = await asyncio.to_thread(load, document, workspace, process)
            if not document.spec.tasks:  # the application has its own, which pilots are to be told
                told = document.spec.model_copy(update={"tasks": ready.loaded.spec.tasks})
                await self._record.update(spec=told)
            journal = await asyncio.to_thread(services.store.journal, document.workflow_id)
            try:
                return await self._with_journal(ready, journal, workspace)
            finally:
                await asyncio.to_thread(journal.close)
        finally:
            if process is not None:
                await asyncio.to_thread(process.close)
            await asyncio.to_thread(workspace.clear)

    async def _with_journal(self, ready: Ready, journal: Journal, workspace: Workspace) -> Ending:
        document, broker, graph = self._record.document, self._services.broker, ready.loaded.graph
        names = [task.name for task in graph.tasks]
        head = {"workflow_id": document.workflow_id, "name": document.spec.name}
        results = await asyncio.to_thread(Results, workspace.directory, journal, head, names)
        if document.replay:
            await asyncio.to_thread(carry_out, journal, Router(graph), names, document.replay)
            await self._record.carried_out(document.replay)
        limit = broker.capabilities.max_message_bytes
        timely(graph.tasks, broker.capabilities.max_lease_seconds, "the broker")
        blobs = blob_store(blobs_of(self._services.settings.blobs, document.workflow_id), limit)
        ledger = await asyncio.to_thread(ledger_for, ready.loaded, ready.application, journal, blobs, limit)
        public = PublicQueues(graph, document.public)
        driver = self._make_driver(ledger, public)
        partials = Partials(self._record, self._services.files, ledger.host)
        work = self._work = Work(driver, Standing(driver, document), results, workspace, public, partials)
        try:
            stop = await self._drive(work)
            if stop is Stop.RELEASED:
                await asyncio.to_thread(results.note, "running", "", driver)
                return Ending.AGAIN if self._is_again else Ending.RELEASED
            await finish(work, stop, self._record, self._services)
        except StoreError:
            raise  # either the journal is another host's now, or nothing can be written to it
        except EwmsError as error:
            await asyncio.to_thread(results.note, "failed", str(error), driver)
            raise
        return Ending.FINAL

    def _make_driver(self, ledger: Ledger, public: PublicQueues) -> Driver:
        broker, lease = self._services.broker, self._services.settings.lease
        make_feed: MakeFeed = SourceFeed
        if public.inputs:
            make_feed = partial(
                PublicFeed, broker=broker, host=ledger.host, graph=ledger.graph, queues=public.inputs, lease=lease
            )
        return Driver(
            ledger,
            broker,
            self._queues,
            lease=lease,
            pilots_survive=True,
            on_change=self._on_change,
            make_feed=make_feed,
            egress=Egress(ledger.graph, public.outputs) if public.outputs else None,
            tick=_TICK,
        )

    async def _drive(self, work: Work) -> Stop | None:
        """Until the driver ends, or its document can no longer be written."""
        driver = work.driver
        await self._give_context(driver)
        await work.public.declare(self._services.broker, self._services.settings.lease)
        self.heed()
        if self._stop is not None:
            driver.stop(self._stop)
        driving = asyncio.create_task(driver.run())
        telling = [asyncio.create_task(self._report(work))]
        if work.partials.is_wanted:
            telling.append(asyncio.create_task(work.partials.run()))
        try:
            done, _ = await asyncio.wait({driving, *telling}, return_when=asyncio.FIRST_COMPLETED)
            if driving not in done:
                for task in done:
                    task.result()  # raises: it does not end otherwise
            return await driving
        finally:
            for task in (driving, *telling):
                task.cancel()
            await asyncio.gather(driving, *telling, return_exceptions=True)

    async def _give_context(self, driver: Driver) -> None:
        """Make the files that the application gives to its tasks the workflow's own, before any pilot is asked for."""
        named = await asyncio.to_thread(driver.ledger.host.context)
        contents = {CONTEXT + name: await asyncio.to_thread(self._services.files.put, data) for name, data in named.items()}
        digests = {name: content.sha256 for name, content in contents.items()}
        if not digests.items() <= self._record.document.files.items():
            await self._record.add_files(digests, *registered(self._record.workflow_id, contents))

    async def _report(self, work: Work) -> None:
        """Tell the document what changes, at most twice a second, but for the first events: pilots wait for these."""
        await work.driver.ready.wait()
        while True:
            wishes_pause = self._record.document.wish is Wish.PAUSE
            state = WorkflowState.PAUSED if wishes_pause else WorkflowState.RUNNING
            fields = {"active": True, "state": state, "reason": "", **work.standing.fields()}
            if any(getattr(self._record.document, name) != value for name, value in fields.items()):
                await self._record.update(**fields)
            alive = work.driver.fleet.alive(time.monotonic())
            work.driver.ledger.outbox.slots = max(1, sum(beat.slots for beat in alive))
            if any(task.planned for task in self._record.document.tasks.values()):
                await asyncio.sleep(_REPORT_SECONDS)
            await self._changed.wait()
            self._changed.clear()

    def _on_change(self) -> None:
        if self._work is not None:
            self._work.standing.read()
            self._work.partials.saw(self._work.driver.ledger.counters.terminal)
        self._changed.set()

    def _end(self, how: Stop) -> None:
        self._stop = self._stop or how
        if self._work is not None:
            self._work.driver.stop(how)

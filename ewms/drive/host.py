"""The driver host: claims workflows that nobody drives, and drives them until they are done."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time

from ewms.core.errors import Conflict, StaleEpoch, StoreError
from ewms.core.query import Query
from ewms.core.service.phases import WorkflowState
from ewms.core.service.workflow import DriverClaim, WorkflowDocument
from ewms.drive.beats import Beats
from ewms.drive.hosted import Hosted
from ewms.drive.record import Record
from ewms.drive.services import Services
from ewms.stores.collections import WORKFLOWS
from ewms.stores.store import Page, Replace, Stored
from ewms.wms.news import WAIT_SECONDS

_log = logging.getLogger("ewms.drive")
_CLAIMS_AT_ONCE = 64
_REST_SECONDS = 0.05
_GRACE_SECONDS = 20.0
_DRIVEN = [WorkflowState.PENDING, WorkflowState.RUNNING, WorkflowState.PAUSED]


class DriverHost:
    """Runs until it is stopped.

    Parameters
    ----------
    services
        Open connections.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store
        self._hosted: dict[str, Hosted] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._beats = self._new_beats()

    @property
    def host_id(self) -> str:
        """What it is called in the documents of its workflows."""
        return self._beats.host_id

    @property
    def driven(self) -> int:
        """Workflows that it has."""
        return len(self._hosted)

    def stop(self) -> None:
        """Give every workflow away and end."""
        self._stopping.set()

    async def run(self) -> None:
        """Drive until `stop` is called; every workflow can be claimed by others when this returns."""
        await self._beats.announce()
        await self._clear_up_after_others()
        _log.info("host_started", extra={"host": self.host_id})
        beating = asyncio.create_task(self._beat())
        looking = asyncio.create_task(self._look_about())
        try:
            await self._stopping.wait()
        finally:
            for task in (beating, looking):
                task.cancel()
            await asyncio.gather(beating, looking, return_exceptions=True)
            await self._give_all_away()
            await self._beats.withdraw()
            await asyncio.to_thread(shutil.rmtree, self._services.settings.folder / self.host_id, ignore_errors=True)
            _log.info("host_stopped", extra={"host": self.host_id})

    def _new_beats(self) -> Beats:
        settings = self._services.settings
        return Beats(self._store, settings.name, settings.lease)

    async def _clear_up_after_others(self) -> None:
        """Remove the working copies of hosts that are gone; none of a living one."""
        folder = self._services.settings.folder
        known = {self.host_id, *await self._beats.look()}
        for name in {entry.name for entry in await asyncio.to_thread(lambda: list(folder.iterdir()))} - known:
            await asyncio.to_thread(shutil.rmtree, folder / name, ignore_errors=True)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._beats.interval)
            try:
                await self._beats.beat()
            except StaleEpoch as error:
                _log.error("host_presumed_dead", extra={"reason": str(error), "workflows": self.driven})
                await self._begin_anew()
            except StoreError as error:
                _log.warning("beat_missed", extra={"reason": str(error)})

    async def _begin_anew(self) -> None:
        """Others have the workflows by now, or will: what is left of them here ends, and this host has a new name."""
        old = self._beats
        self._beats = self._new_beats()
        await self._beats.announce()
        await self._give_all_away()
        await old.withdraw()

    async def _look_about(self) -> None:
        """At whatever news tells of, and once a second at everything: news may be lost."""
        all_at = 0.0
        with self._services.news.listener(WORKFLOWS, own=False) as listener:
            while True:
                try:
                    items = await listener.wait()
                    if is_due := time.monotonic() >= all_at:
                        all_at = time.monotonic() + WAIT_SECONDS
                        await self._see_mine()
                    else:
                        await asyncio.gather(*(self._see(item.key) for item in items if item.key in self._hosted))
                    if is_due or any(item.key not in self._hosted for item in items):
                        await self._claim_what_is_free()
                except StoreError as error:
                    _log.warning("store_away", extra={"reason": str(error)})
                await asyncio.sleep(_REST_SECONDS)

    async def _see(self, workflow_id: str) -> None:
        stored = await self._store.get(WORKFLOWS, workflow_id)
        if stored is not None and workflow_id in self._hosted:
            self._hosted[workflow_id].saw(stored)

    async def _see_mine(self) -> None:
        mine = Query.parse({"driver.host": self.host_id})
        page: Page | None = None
        while page is None or page.after is not None:
            page = await self._store.find(WORKFLOWS, mine, after=page.after if page else None)
            for stored in page.items:
                if stored.key in self._hosted:
                    self._hosted[stored.key].saw(stored)

    async def _claim_what_is_free(self) -> None:
        hosts = await self._beats.look()
        living = [self.host_id, *(host for host, lives in hosts.items() if lives)]
        free = {
            "state": {"$in": _DRIVEN},
            "closing": {"$ne": True},
            "$and": [{"driver.host": {"$ne": host}} for host in living],
        }
        room = min(_CLAIMS_AT_ONCE, self._services.settings.max_workflows - self.driven)
        if room > 0:
            page = await self._store.find(WORKFLOWS, Query.parse(free), order=[("priority", True)], limit=room)
            await asyncio.gather(*(self._claim(stored) for stored in page.items))
        for host in hosts.keys() - set(living):
            if not await self._store.count(WORKFLOWS, Query.parse({"driver.host": host})):
                _log.info("host_forgotten", extra={"host": host})
                await self._beats.withdraw(host)

    async def _claim(self, stored: Stored) -> None:
        document = WorkflowDocument.model_validate(stored.body)
        before = document.driver
        claim = DriverClaim(host=self.host_id, epoch=before.epoch + 1)
        body = document.model_copy(update={"driver": claim}).model_dump(mode="json")
        try:
            await self._store.write(Replace(collection=WORKFLOWS, key=stored.key, version=stored.version, body=body))
        except Conflict:  # another host was faster, or the service has changed it: then there will be news
            return
        _log.info("workflow_claimed", extra={"workflow": stored.key, "epoch": claim.epoch, "before": before.host})
        record = Record(self._store, self._services.news, Stored(stored.key, stored.version + 1, body))
        hosted = self._hosted[stored.key] = Hosted(record, self._services)
        task = asyncio.create_task(self._drive(stored.key, hosted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drive(self, workflow_id: str, hosted: Hosted) -> None:
        try:
            await hosted.run()
        finally:
            del self._hosted[workflow_id]

    async def _give_all_away(self) -> None:
        for hosted in self._hosted.values():
            hosted.release()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_GRACE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

"""Submits the workflows of scans: at once, or as soon as it can be done. No scan waits for another."""

from __future__ import annotations

import asyncio
import logging

from ewms.services import Delete, EwmsError, Forbidden, PluginHost, UsageError
from skymap_scanner.skydriver.documents import KEYS, SCANS, ScanDocument
from skymap_scanner.skydriver.events import Events
from skymap_scanner.skydriver.scan_store import ScanStore
from skymap_scanner.skydriver.submission import workflow_request

_LONGEST_PAUSE = 60.0
_AT_ONCE = 8
_log = logging.getLogger("ewms.service")


class Beginning:
    """Begins scans that are kept."""

    def __init__(self, host: PluginHost, events: Events, documents: ScanStore) -> None:
        self._host = host
        self._events = events
        self._documents = documents

    async def begin(self, scan: ScanDocument, *, key: str | None = None) -> ScanDocument:
        """Begin a new scan; one that cannot be begun for now waits.

        Parameters
        ----------
        key
            Of the order under `KEYS`, which goes with a scan that is refused.

        Raises
        ------
        UsageError
            Something is wrong with it: it is gone again.
        Forbidden
            It is above the owner's quota: it is gone again.
        """
        try:
            return await self._submit(scan)
        except (UsageError, Forbidden):
            keys = [] if key is None else [Delete(collection=KEYS, key=key)]
            await self._host.store.write(Delete(collection=SCANS, key=scan.scan_id), *keys)
            raise
        except EwmsError as error:
            return await self._put_off(scan, error)

    async def sweep(self) -> None:
        """Try again to begin what waits, the urgent first."""
        now = self._host.now()
        waiting = [scan async for scan in self._documents.unfinished() if not scan.is_requested and scan.due <= now]
        waiting.sort(key=lambda scan: (-scan.priority, scan.timestamp))
        for start in range(0, len(waiting), _AT_ONCE):
            await asyncio.gather(*(self._try(scan) for scan in waiting[start : start + _AT_ONCE]))

    async def _try(self, scan: ScanDocument) -> None:
        try:
            await self._submit(scan)
        except EwmsError as error:
            await self._put_off(scan, error)

    async def _submit(self, scan: ScanDocument) -> ScanDocument:
        """Under the scan's id as key: however often this is tried, there is one workflow."""
        owner = self._host.on_behalf(scan.owner)
        content = await self._host.upload(owner, await self._events.text(scan.i3_event_id))
        request = await asyncio.to_thread(workflow_request, scan, content.sha256)
        workflow = await self._host.submit(owner, request, key=scan.scan_id)
        address = self._host.url.removesuffix(f"/{self._host.prefix}")
        fields = {"ewms_workflow_id": workflow.workflow_id, "ewms_address": address, "reason": ""}
        begun = await self._documents.change(scan.scan_id, lambda _: fields)
        _log.info("scan_begun", extra={"scan": scan.scan_id, "workflow_id": workflow.workflow_id, "owner": scan.owner})
        if begun.is_deleted:  # meanwhile
            await self._host.cancel(owner, workflow.workflow_id)
        return begun

    async def _put_off(self, scan: ScanDocument, error: EwmsError) -> ScanDocument:
        attempts = scan.attempts + 1
        pause = min(_LONGEST_PAUSE, 2.0 ** min(attempts - 1, 10))
        _log.warning("scan_put_off", extra={"scan": scan.scan_id, "reason": str(error), "attempts": attempts})
        fields = {"attempts": attempts, "due": self._host.now() + pause, "reason": str(error)}
        try:
            return await self._documents.change(scan.scan_id, lambda _: fields)
        except EwmsError:
            return scan  # the store is away: it is tried again all the same

"""What can be done with scans: used by SkyDriver's routes, the pages and automated scanning alike."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ewms.services import (
    FINAL,
    Caller,
    Conflict,
    FileDocument,
    Forbidden,
    InputError,
    Insert,
    NotFound,
    PluginHost,
    Query,
    Role,
    TaskforceDocument,
    WorkflowDocument,
    WorkflowState,
)
from skymap_scanner.skydriver.beginning import Beginning
from skymap_scanner.skydriver.documents import KEYS, SCANS, GivenResult, ScanDocument, new_scan_id
from skymap_scanner.skydriver.events import Events
from skymap_scanner.skydriver.filters import scan_query
from skymap_scanner.skydriver.manifest import manifest_of, scan_metadata, server_args
from skymap_scanner.skydriver.order import ScanOrder
from skymap_scanner.skydriver.progress import progress_of
from skymap_scanner.skydriver.recos import Recos
from skymap_scanner.skydriver.request import MOST_CLASSIFIERS, ManifestChange
from skymap_scanner.skydriver.scan_store import ScanStore
from skymap_scanner.skydriver.view import PARTIAL, ScanView

Result = dict[str, Any]
"""skyreader's serialised result: a table per nside."""


_LOOKS = 3
_UNFINISHED = frozenset(WorkflowState) - FINAL - {WorkflowState.FAILED}


class Found(NamedTuple):
    """A part of a listing."""

    items: list[ScanDocument]
    """Newest first."""
    total: int
    """How many there are in all. Exact."""
    after: str | None
    """Where the next part begins; None if this is the last one."""


class Scans:
    """The scans of one service. Everything raises `EwmsError`, in one line.

    Every user sees all scans, as in SkyDriver; who may change one is its owner and operators.
    """

    def __init__(self, host: PluginHost) -> None:
        self.host = host
        """The service."""
        self.events = Events(host)
        """Events that were sent."""
        self._recos = Recos(host.settings.get("recos", {}))
        self._documents = ScanStore(host)
        self._beginning = Beginning(host, self.events, self._documents)

    async def create(
        self, caller: Caller, order: ScanOrder, event: bytes | None = None, key: str | None = None
    ) -> ScanDocument:
        """Have an event scanned.

        It is kept before its workflow is submitted: where that cannot be done now, it is done later.

        Parameters
        ----------
        event
            An i3live alert, or an event in the plugin's own JSON; None where the order names one that is known.
        key
            Chosen by whoever asks; under the same key, a repeat gives the scan that is there already.

        Raises
        ------
        UsageError
            Something is wrong with it, told in one line.
        Forbidden
            It is above the owner's quota.
        """
        if key is not None and (former := await self._under(caller, key)) is not None:
            return former
        reco = self._recos.used(order.reco_algo)
        order = order.model_copy(update={"clusters": self._clusters(order.clusters)})
        kept = await (self.events.get(order.i3_event_id) if event is None else self.events.keep(event))
        now = self.host.now()
        scan = ScanDocument(
            scan_id=new_scan_id(now),
            timestamp=now,
            last_updated=now,
            scanner_server_args=server_args(order, reco),
            priority=order.priority,
            classifiers=order.classifiers,
            i3_event_id=kept.i3_event_id,
            event_metadata=kept.metadata.model_dump(mode="json") | {"is_real_event": order.is_real},
            scan_metadata=scan_metadata(order, reco),
            owner=caller.name,
            order=order.model_copy(update={"i3_event_id": kept.i3_event_id}),
            reco=reco,
            content_digest=kept.content_digest,
            duplicate_of=await self._newest_of(kept.content_digest),
        )
        return await self._add(caller, scan, key)

    async def get(self, scan_id: str, *, include_deleted: bool = True) -> ScanDocument:
        """A scan; `NotFound` if there is none."""
        scan = await self._documents.get(scan_id)
        if scan.is_deleted and not include_deleted:
            raise NotFound(f"scan {scan_id:.60} was deleted; ask with include_deleted=true to see it")
        return scan

    async def find(
        self, filter_: Mapping[str, Any], *, include_deleted: bool = False, after: str | None = None, limit: int = 100
    ) -> Found:
        """Scans that satisfy a filter, newest first, in pages."""
        query = scan_query(filter_, include_deleted=include_deleted)
        page = await self.host.store.find(SCANS, query, order=(("timestamp", True),), after=after, limit=limit)
        items = [ScanDocument.model_validate(stored.body) for stored in page.items]
        return Found(items, await self.host.store.count(SCANS, query), page.after)

    async def delete(self, caller: Caller, scan_id: str, *, completed: bool = False) -> ScanDocument:
        """Give a scan up and hide it; a repeat changes nothing.

        Parameters
        ----------
        completed
            Also one whose final result is there; `InputError` otherwise.
        """
        scan = await self.get(scan_id)
        self.require_change(caller, scan)
        if not completed and (await self.view(scan)).has_final:
            raise InputError(f"scan {scan_id} has its final result; say delete_completed_scan to delete it all the same")
        await self._abort(scan)
        return await self.change(scan_id, lambda scan: {} if scan.is_deleted else {"is_deleted": True})

    async def rescan(
        self, caller: Caller, scan_id: str, *, abort_first: bool = False, replace: bool = False
    ) -> ScanDocument:
        """A new scan by the same request, which tells where it comes from.

        Parameters
        ----------
        abort_first
            Whether the old one is given up.
        replace
            Whether the new one takes its place.
        """
        old = await self.get(scan_id)
        if abort_first or replace:
            self.require_change(caller, old)
        if abort_first:
            await self._abort(old)
        now, reco = self.host.now(), self._recos.used(old.order.reco_algo)
        classifiers = {**old.order.classifiers, "rescan": True, "origin_scan_id": scan_id}
        fits = len(classifiers) <= MOST_CLASSIFIERS
        new = ScanDocument(
            scan_id=new_scan_id(now),
            timestamp=now,
            last_updated=now,
            scanner_server_args=old.scanner_server_args,
            priority=old.priority,
            classifiers=classifiers if fits else old.order.classifiers,  # `rescan_of` tells it all the same
            i3_event_id=old.i3_event_id,
            event_metadata=old.event_metadata,
            scan_metadata=scan_metadata(old.order, reco),
            owner=caller.name,
            order=old.order,
            reco=reco,
            content_digest=old.content_digest,
            rescan_of=scan_id,
        )
        new = await self._add(caller, new, None)
        replaced = {"replaced_by_scan_id": new.scan_id} if replace else {}
        await self.change(scan_id, lambda scan: {"rescan_ids": (*scan.rescan_ids, new.scan_id), **replaced})
        return new

    async def add_workers(self, caller: Caller, scan_id: str, cluster: str, workers: int) -> TaskforceDocument:
        """More workers at a cluster; `Conflict` for a scan that is deleted, has no workflow yet, or has ended."""
        scan = await self.get(scan_id)
        self.require_change(caller, scan)
        view = await self.view(scan)
        if scan.is_deleted or view.workflow is None or view.has_final:
            why = "is deleted" if scan.is_deleted else "has its final result" if view.has_final else "has no workflow yet"
            raise Conflict(f"scan {scan_id} {why}, so it takes no workers")
        workflow_id = view.workflow.workflow_id
        return await self.host.add_workers(self._owner(scan), workflow_id, cluster=cluster, workers=workers)

    async def view(self, scan: ScanDocument) -> ScanView:
        """A scan as it stands."""
        return ScanView(scan=scan, workflow=await self.workflow(scan))

    async def workflow(self, scan: ScanDocument) -> WorkflowDocument | None:
        """What makes a scan; None where it has no workflow, or one of another service."""
        return await self._documents.workflow(scan)

    async def state(self, scan: ScanDocument) -> str:
        """SkyDriver's `scan_state`."""
        return (await self.view(scan)).state

    async def manifest(self, scan: ScanDocument) -> dict[str, Any]:
        """SkyDriver's manifest, with progress."""
        view = await self.view(scan)
        progress = scan.given_progress or scan.final_progress
        if progress is None and view.workflow is not None:
            threshold = scan.order.predictive_scanning_threshold
            progress = progress_of(view.workflow, threshold=threshold, now=self.host.now())
        return manifest_of(scan, view.standing, progress)

    async def result(self, scan: ScanDocument) -> tuple[Result | None, bool]:
        """Its result and whether that is the final one; None while there is none."""
        text, is_final = await self.result_text(scan)
        return (None, False) if text is None else (await asyncio.to_thread(json.loads, text), is_final)

    async def result_text(self, scan: ScanDocument) -> tuple[bytes | None, bool]:
        """As `result`, as JSON: some megabytes, which nobody need read who only passes them on."""
        if scan.given_result is not None:
            data = await self.host.uploaded(self.host.caller, scan.given_result.sha256)
            return data, scan.given_result.is_final
        for _ in range(_LOOKS):
            view = await self.view(scan)
            has_partial = view.workflow is not None and PARTIAL in view.workflow.partial
            name = view.final_file or (PARTIAL if has_partial else None)
            if name is None:
                break
            with contextlib.suppress(NotFound):  # it gave way to the final one meanwhile
                return await self.file(scan, name), name != PARTIAL
        return None, False

    async def give_result(self, scan_id: str, result: Result, *, is_final: bool) -> ScanDocument:
        """Keep a result that was sent; the workflow takes no more work after the final one."""
        scan = await self.get(scan_id)
        try:
            text = json.dumps(result, allow_nan=False).encode()
        except ValueError as error:
            raise InputError(f"skyscan_result is not JSON: {error}; skyreader writes NaN as a text") from error
        content = await self.host.upload(self.host.caller, text)
        given = GivenResult(sha256=content.sha256, is_final=is_final)
        workflow = await self.workflow(scan) if is_final else None
        if workflow is not None and workflow.state in _UNFINISHED:
            await self.host.finish(self._owner(scan), workflow.workflow_id)
        return await self.change(scan_id, lambda _: {"given_result": given})

    async def tell(self, scan_id: str, change: ManifestChange) -> ScanDocument:
        """Keep what a scanner reports of itself; `InputError` for metadata that were sent before and are others now."""

        def edit(scan: ScanDocument) -> dict[str, Any]:
            fields: dict[str, Any] = {}
            if change.progress is not None:
                fields["given_progress"] = change.progress.model_dump(mode="json")
            event = None if change.event_metadata is None else change.event_metadata.model_dump(mode="json")
            for name, value in (("event_metadata", event), ("scan_metadata", change.scan_metadata or None)):
                if value is None:
                    continue
                if name in scan.told and getattr(scan, name) != value:
                    raise InputError(f"{name} of scan {scan_id} was sent before, and is another one; it is taken once")
                fields |= {name: value, "told": (*fields.get("told", scan.told), name)}
            return fields

        return await self.change(scan_id, edit)

    async def set_workflow(self, scan_id: str, workflow_id: str, address: str) -> ScanDocument:
        """Name the workflow of a scan that has none; `NotFound` for one that has."""

        def edit(scan: ScanDocument) -> dict[str, Any]:
            if scan.is_requested:
                raise NotFound(f"there is no scan {scan_id} without a workflow; it has {scan.ewms_workflow_id}")
            return {"ewms_workflow_id": workflow_id, "ewms_address": address}

        return await self.change(scan_id, edit)

    async def change(self, scan_id: str, edit: Callable[[ScanDocument], dict[str, Any]]) -> ScanDocument:
        """Change fields of a scan, on whatever it is by then."""
        return await self._documents.change(scan_id, edit)

    async def event(self, scan: ScanDocument) -> bytes:
        """Its event, as JSON."""
        return await self.events.text(scan.i3_event_id)

    async def files(self, scan: ScanDocument) -> Mapping[str, FileDocument]:
        """The files of its workflow, by name; none where it has no workflow here."""
        workflow = await self.workflow(scan)
        return {} if workflow is None else await self.host.files(self._owner(scan), workflow.workflow_id)

    async def file(self, scan: ScanDocument, name: str) -> bytes:
        """What one of them holds; `NotFound` if there is none."""
        if not scan.is_requested:
            raise NotFound(f"scan {scan.scan_id} has no files yet")
        return await self.host.content(self._owner(scan), str(scan.ewms_workflow_id), name)

    async def taskforces(self, scan: ScanDocument) -> list[TaskforceDocument]:
        """Its batches of workers."""
        workflow = await self.workflow(scan)
        return [] if workflow is None else await self.host.taskforces(self._owner(scan), workflow.workflow_id)

    async def same_event(self, scan: ScanDocument) -> Found:
        """Scans of an event with the same content, however it was written; itself among them."""
        return await self.find({"content_digest": scan.content_digest}, include_deleted=True)

    async def failures(self, scan: ScanDocument) -> list[dict[str, Any]]:
        """Why pixels failed, by cause."""
        workflow = await self.workflow(scan)
        return [] if workflow is None else await self.host.failures(self._owner(scan), workflow.workflow_id)

    async def backlog(self) -> Sequence[ScanView]:
        """Scans that nobody works on yet, in the order in which they will be begun."""
        return await self._documents.backlog()

    async def begin_waiting(self) -> None:
        """Submit what could not be submitted before; see `Beginning`."""
        await self._beginning.sweep()

    def may_change(self, caller: Caller, scan: ScanDocument) -> bool:
        """Whether somebody may give a scan up, replace it or give it workers."""
        return caller.role is Role.OPERATOR or (caller.role is Role.USER and caller.name == scan.owner)

    def require_change(self, caller: Caller, scan: ScanDocument) -> None:
        """`Forbidden` for whoever may not change a scan."""
        if not self.may_change(caller, scan):
            raise Forbidden(f"scan {scan.scan_id} is {scan.owner:.80}'s; ask them, or an operator")

    async def _add(self, caller: Caller, scan: ScanDocument, key: str | None) -> ScanDocument:
        changes = [Insert(collection=SCANS, key=scan.scan_id, body=scan.model_dump(mode="json"))]
        if key is not None:
            body = {"scan_id": scan.scan_id, "timestamp": scan.timestamp}
            changes.append(Insert(collection=KEYS, key=_key(caller, key), body=body))
        try:
            await self.host.store.write(*changes)
        except Conflict:
            former = None if key is None else await self._under(caller, key)
            if former is None:
                raise
            return former  # the same order, at the same time
        return await self._beginning.begin(scan, key=None if key is None else _key(caller, key))

    async def _newest_of(self, content_digest: str) -> str | None:
        """The newest scan of an event with this content."""
        order = (("content_digest", True), ("timestamp", True))
        query = Query.parse({"content_digest": content_digest})
        page = await self.host.store.find(SCANS, query, order=order, limit=1)
        return page.items[0].key if page.items else None

    async def _under(self, caller: Caller, key: str) -> ScanDocument | None:
        stored = await self.host.store.get(KEYS, _key(caller, key))
        return None if stored is None else await self.get(str(stored.body["scan_id"]))

    async def _abort(self, scan: ScanDocument) -> None:
        workflow = await self.workflow(scan)
        if workflow is not None and workflow.state not in FINAL:
            with contextlib.suppress(Conflict):  # it ended meanwhile
                await self.host.cancel(self._owner(scan), workflow.workflow_id)

    def _clusters(self, asked: Mapping[str, int]) -> dict[str, int]:
        """Workers by cluster; those of several names of one cluster are added up."""
        found: dict[str, int] = {}
        for name, workers in asked.items():
            cluster = self.host.cluster(name)
            found[cluster] = found.get(cluster, 0) + workers
        return found

    def _owner(self, scan: ScanDocument) -> Caller:
        return self.host.on_behalf(scan.owner)


def _key(caller: Caller, key: str) -> str:
    return hashlib.sha256(f"{caller.name}\n{key}".encode()).hexdigest()

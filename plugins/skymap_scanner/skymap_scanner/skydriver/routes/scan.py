"""`/scan` and `/scan/{scan_id}/…`."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import JSONResponse, Response

from ewms.services import CallerOf, Conflict, answer
from skymap_scanner.skydriver.documents import ScanDocument
from skymap_scanner.skydriver.manifest import shown
from skymap_scanner.skydriver.request import (
    AddWorkersRequest,
    DeleteRequest,
    ManifestChange,
    RescanRequest,
    ResultRequest,
    ScanRequest,
)
from skymap_scanner.skydriver.routes.redirection import current
from skymap_scanner.skydriver.scans import Scans
from skymap_scanner.skydriver.workforce import workforce_of

Manifest = dict[str, Any]
NoRedirect = Annotated[bool, Query(description="The scan itself, whatever took its place.")]
IncludeDeleted = Annotated[bool, Query(description="Also a scan that was deleted.")]
Projection = Annotated[str, Query(min_length=1, description="Names of fields with `|` between them, or `*`.")]


def router(scans: Scans) -> APIRouter:
    """The routes on one scan."""
    routes = APIRouter(tags=["scan"])
    _making(routes, scans)
    _looking(routes, scans)
    _standing(routes, scans)
    _reporting(routes, scans)
    return routes


def _making(routes: APIRouter, scans: Scans) -> None:
    @routes.post("/scan")
    async def post_scan(body: ScanRequest, caller: CallerOf) -> Manifest:
        """Have an event scanned."""
        given = body.event_i3live_json
        event = (given if isinstance(given, str) else json.dumps(given)).encode("utf-8", "replace") if given else None
        scan = await scans.create(caller, body.order(), event)
        return shown(await scans.manifest(scan), body.manifest_projection)

    @routes.post("/scan/{scan_id}/actions/rescan")
    async def rescan(
        scan_id: str, request: Request, caller: CallerOf, body: Annotated[RescanRequest | None, Body()] = None
    ) -> Manifest:
        """Scan again by the same request."""
        body = body or RescanRequest()
        await current(scans, request, scan_id, no_redirect=body.no_redirect)
        new = await scans.rescan(caller, scan_id, abort_first=body.abort_first, replace=body.replace_scan)
        return shown(await scans.manifest(new), body.manifest_projection)

    @routes.post("/scan/{scan_id}/actions/add-workers", response_model=None)
    async def add_workers(
        scan_id: str, request: Request, caller: CallerOf, body: AddWorkersRequest
    ) -> dict[str, Any] | JSONResponse:
        """Give a scan more workers at a cluster."""
        await current(scans, request, scan_id, no_redirect=body.no_redirect)
        try:
            added = await scans.add_workers(caller, scan_id, body.cluster_location, body.n_workers)
        except Conflict as error:
            return answer(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        return {"taskforce_uuid": added.taskforce_uuid, "n_workers": body.n_workers}

    @routes.delete("/scan/{scan_id}")
    async def delete(
        scan_id: str, request: Request, caller: CallerOf, body: Annotated[DeleteRequest | None, Body()] = None
    ) -> Response:
        """Give a scan up, and hide it."""
        body = body or DeleteRequest()
        await current(scans, request, scan_id, no_redirect=body.no_redirect)
        scan = await scans.delete(caller, scan_id, completed=body.delete_completed_scan)
        manifest = shown(await scans.manifest(scan), body.manifest_projection)
        return _json(_object(manifest=manifest, result=await result_text(scans, scan)))


def _looking(routes: APIRouter, scans: Scans) -> None:
    @routes.get("/scan/{scan_id}")
    async def get_scan(
        scan_id: str, request: Request, no_redirect: NoRedirect = False, include_deleted: IncludeDeleted = False
    ) -> Response:
        """A scan's manifest and result."""
        await current(scans, request, scan_id, no_redirect=no_redirect)
        scan = await scans.get(scan_id, include_deleted=include_deleted)
        return _json(_object(manifest=await scans.manifest(scan), result=await result_text(scans, scan)))

    @routes.get("/scan/{scan_id}/manifest")
    async def get_manifest(
        scan_id: str,
        request: Request,
        no_redirect: NoRedirect = False,
        include_deleted: IncludeDeleted = False,
        projection: Projection = "*",
    ) -> Manifest:
        """A scan's manifest."""
        await current(scans, request, scan_id, no_redirect=no_redirect)
        scan = await scans.get(scan_id, include_deleted=include_deleted)
        return shown(await scans.manifest(scan), projection if projection == "*" else projection.split("|"))

    @routes.get("/scan/{scan_id}/result")
    async def get_result(
        scan_id: str, request: Request, no_redirect: NoRedirect = False, include_deleted: IncludeDeleted = False
    ) -> Response:
        """A scan's result so far, or the final one."""
        await current(scans, request, scan_id, no_redirect=no_redirect)
        return _json(await result_text(scans, await scans.get(scan_id, include_deleted=include_deleted)))

    @routes.get("/scan/{scan_id}/i3-event")
    async def get_event(scan_id: str, request: Request, no_redirect: NoRedirect = False) -> Response:
        """The event that a scan is of."""
        scan = await current(scans, request, scan_id, no_redirect=no_redirect)
        return _json(_object(i3_event=await scans.event(scan)))


def _standing(routes: APIRouter, scans: Scans) -> None:
    def logs_of(scan: ScanDocument) -> dict[str, Any]:
        return {"url": f"{scans.host.url}/scan/{scan.scan_id}/details" if scan.is_requested else None}

    @routes.get("/scan/{scan_id}/status")
    async def get_status(scan_id: str, request: Request, no_redirect: NoRedirect = False) -> dict[str, Any]:
        """How a scan stands."""
        scan = await current(scans, request, scan_id, no_redirect=no_redirect)
        view = await scans.view(scan)
        return {
            "scan_state": view.state,
            "is_deleted": scan.is_deleted,
            "ewms_deactivated": view.deactivated,
            "scan_complete": view.has_final,
            "scanner_server_logs": logs_of(scan),
            "ewms_workforce": workforce_of(await scans.taskforces(scan)),
            "condition": view.condition.value,
            "reason": view.reason,
        }

    @routes.get("/scan/{scan_id}/logs")
    async def get_logs(scan_id: str, request: Request, no_redirect: NoRedirect = False) -> dict[str, Any]:
        """Where to read what went wrong."""
        return {"scanner_server": logs_of(await current(scans, request, scan_id, no_redirect=no_redirect))}

    @routes.get("/scan/{scan_id}/details")
    async def get_details(scan_id: str, request: Request, no_redirect: NoRedirect = False) -> dict[str, Any]:
        """Beyond SkyDriver: how a scan stands and why, what failed, its workers and files, scans of the same event."""
        scan = await current(scans, request, scan_id, no_redirect=no_redirect)
        view, same = await scans.view(scan), await scans.same_event(scan)
        return {
            "scan_id": scan.scan_id,
            "scan_state": view.state,
            "condition": view.condition.value,
            "reason": view.reason,
            "note": view.workflow.note if view.workflow else "",
            "owner": scan.owner,
            "reco": scan.reco.model_dump(),
            "not_applicable": list(scan.order.not_applicable),
            "clusters": [
                {"cluster": one.cluster, "n_workers": one.n_workers, "phase": one.phase.value, "reason": one.reason}
                for one in await scans.taskforces(scan)
            ],
            "failures": await scans.failures(scan),
            "files": sorted(await scans.files(scan)),
            "same_event": {"scan_ids": [one.scan_id for one in same.items], "total": same.total},
        }


def _reporting(routes: APIRouter, scans: Scans) -> None:
    @routes.patch("/scan/{scan_id}/manifest")
    async def patch_manifest(scan_id: str, body: ManifestChange) -> Manifest:
        """What a scanner says of itself."""
        return await scans.manifest(await scans.tell(scan_id, body))

    @routes.put("/scan/{scan_id}/result")
    async def put_result(scan_id: str, body: ResultRequest) -> dict[str, Any]:
        """Keep a result; nothing where it is empty."""
        if not body.skyscan_result:
            return {}
        await scans.give_result(scan_id, body.skyscan_result, is_final=body.is_final)
        return {"scan_id": scan_id, "skyscan_result": body.skyscan_result, "is_final": body.is_final}


async def result_text(scans: Scans, scan: ScanDocument) -> bytes:
    """SkyDriver's `Result` as JSON; empty while there is none."""
    found, is_final = await scans.result_text(scan)
    return b"{}" if found is None else _object(scan_id=scan.scan_id, skyscan_result=found, is_final=is_final)


def _object(**fields: Any) -> bytes:
    """A JSON object; bytes are JSON already."""
    parts = (
        json.dumps(name).encode() + b": " + (value if isinstance(value, bytes) else json.dumps(value).encode())
        for name, value in fields.items()
    )
    return b"{" + b", ".join(parts) + b"}"


def _json(text: bytes) -> Response:
    return Response(text, media_type="application/json")

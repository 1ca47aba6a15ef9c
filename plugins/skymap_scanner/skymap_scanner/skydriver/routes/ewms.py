"""`/scan/{scan_id}/ewms/…`: a scan's workflow and its workers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from ewms.services import taskforce_object
from skymap_scanner.skydriver.request import WorkflowIdRequest
from skymap_scanner.skydriver.routes.redirection import current
from skymap_scanner.skydriver.scans import Scans
from skymap_scanner.skydriver.workforce import workforce_of

NoRedirect = Annotated[bool, Query(description="The scan itself, whatever took its place.")]


def router(scans: Scans) -> APIRouter:
    """The routes on what makes a scan."""
    routes = APIRouter(prefix="/scan/{scan_id}/ewms", tags=["ewms"])

    @routes.get("/workflow-id")
    async def get_workflow_id(scan_id: str, request: Request, no_redirect: NoRedirect = False) -> dict[str, Any]:
        """The id of a scan's workflow."""
        scan = await current(scans, request, scan_id, no_redirect=no_redirect)
        return {
            "workflow_id": scan.ewms_workflow_id,
            "requested_ewms_workflow": scan.is_requested,
            "eligible_for_ewms": scan.ewms_workflow_id is not None,
            "ewms_address": scan.ewms_address,
        }

    @routes.post("/workflow-id")
    async def post_workflow_id(scan_id: str, body: WorkflowIdRequest) -> dict[str, Any]:
        """Name the workflow of a scan that has none."""
        return await scans.manifest(await scans.set_workflow(scan_id, body.workflow_id, body.ewms_address))

    @routes.get("/workforce")
    async def get_workforce(scan_id: str, request: Request, no_redirect: NoRedirect = False) -> dict[str, Any]:
        """What its workers do."""
        scan = await current(scans, request, scan_id, no_redirect=no_redirect)
        return workforce_of(await scans.taskforces(scan))

    @routes.get("/taskforces")
    async def get_taskforces(scan_id: str, request: Request, no_redirect: NoRedirect = False) -> dict[str, Any]:
        """Its batches of workers, as EWMS has them."""
        scan = await current(scans, request, scan_id, no_redirect=no_redirect)
        owner = scans.host.on_behalf(scan.owner)
        return {
            "taskforces": [
                taskforce_object(one, await scans.host.taskforce_log(owner, one.taskforce_uuid))
                for one in await scans.taskforces(scan)
            ]
        }

    return routes

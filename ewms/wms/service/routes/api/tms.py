"""`/api/tms/…`: what TMSs are told beside EWMS's routes, and what they tell."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from ewms.core.config import PilotConfig
from ewms.core.errors import NotFound
from ewms.core.service.phases import ENDING, Phase
from ewms.core.service.report import ClusterReport
from ewms.core.service.taskforce import Plan
from ewms.wms.access.caller import CallerOf
from ewms.wms.service.lookup import taskforce_of, workflow_of
from ewms.wms.service.pilot_configs import config_of
from ewms.wms.service.plans import plan_of
from ewms.wms.service.sites import take_report
from ewms.wms.service.state import ServiceState, State

router = APIRouter(prefix="/api/tms", tags=["tms"])
Revision = Annotated[int | None, Query(ge=0, lt=1 << 63, description="Of the plan that the TMS has; waits for another.")]
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@router.get("/taskforces/{taskforce_uuid}/pilot")
async def get_pilot(taskforce_uuid: str, response: Response, state: State, caller: CallerOf) -> PilotConfig:
    """What the pilots of a taskforce are told, with credentials that are made for this answer and kept nowhere."""
    _, taskforce = await taskforce_of(state.store, caller, taskforce_uuid)
    _, workflow = await workflow_of(state.store, caller, taskforce.workflow_id)
    if taskforce.phase in ENDING or taskforce.phase is Phase.PRE_MQ_ACTIVATION or not workflow.active:
        raise NotFound(f"taskforce {taskforce_uuid} has no pilots to run: it is in phase {taskforce.phase}")
    response.headers.update(_NO_STORE)
    return await config_of(state, workflow, taskforce)


@router.get("/{cluster}/plan")
async def get_plan(cluster: str, state: State, caller: CallerOf, after: Revision = None) -> Plan:
    """Everything that the TMS of a cluster is to make true; with `after`, as soon as that changes, or after 30 s."""
    _known(state, cluster)
    return await plan_of(state, cluster, after)


@router.post("/{cluster}/report", status_code=204)
async def report(cluster: str, report: ClusterReport, state: State, caller: CallerOf) -> Response:
    """How a cluster stands, with its sites."""
    _known(state, cluster)
    await take_report(state, cluster, report)
    return Response(status_code=204)


def _known(state: ServiceState, cluster: str) -> None:
    if cluster not in state.configuration.clusters:
        known = ", ".join(state.configuration.clusters) or "none"
        raise NotFound(f"there is no cluster {cluster:.80}; known are {known}")

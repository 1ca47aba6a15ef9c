"""`/v1/mqs` and `/mqbroker-issuer`: EWMS's message queue service, which is a part of this one.

Queues are reserved in the write that makes their workflow and activated by its driver, so both actions only show how far
that is. Credentials are issued for queues that people outside use, and for these alone.
"""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from ewms.core.service.objects import (
    JWKSetResponse,
    MQGroupObject,
    MQGroupObjectAndProfiles,
    MQProfileObject,
    Nothing,
    PublicMQProfilesResponse,
)
from ewms.core.service.phases import WorkflowState
from ewms.core.service.queue import QueueDocument
from ewms.core.service.replies import group_object, queue_object
from ewms.core.service.requests import ActivationRequest, ReservationRequest
from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.collections import QUEUES
from ewms.wms.access.caller import CallerOf
from ewms.wms.access.grants import load_grant, read_grant
from ewms.wms.service.lookup import find_all, queue_of, workflow_of
from ewms.wms.service.queue_credential import queue_credential
from ewms.wms.service.routes.v1.documented import NOT_FOUND, answers
from ewms.wms.service.state import ServiceState, State

router = APIRouter()
_LIFETIME_SECONDS = 7 * 86_400.0


@router.get("/v1/mqs", responses=answers(Nothing))
async def get_root() -> Nothing:
    """Nothing: the service answers."""
    return {}


@router.get("/v1/mqs/schema/openapi", tags=["openapi"], responses=answers(dict[str, Any]))
async def get_schema(request: Request) -> dict[str, Any]:
    """The OpenAPI document of all routes."""
    document: dict[str, Any] = request.app.openapi()
    return document


@router.post(
    "/v1/mqs/workflows/{workflow_id}/mq-group/reservation",
    tags=["mq-group"],
    responses=answers(MQGroupObjectAndProfiles, NOT_FOUND),
)
async def reserve(workflow_id: str, request: ReservationRequest, state: State, caller: CallerOf) -> MQGroupObjectAndProfiles:
    """The queues of a workflow, which are there as soon as it is."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    return await _group(state, workflow)


@router.post(
    "/v1/mqs/workflows/{workflow_id}/mq-group/activation",
    tags=["mq-group"],
    responses=answers(MQGroupObjectAndProfiles, NOT_FOUND),
)
async def activate(workflow_id: str, request: ActivationRequest, state: State, caller: CallerOf) -> MQGroupObjectAndProfiles:
    """The queues of a workflow, activated or not: its driver does that as soon as there is one."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    return await _group(state, workflow)


@router.get("/v1/mqs/workflows/{workflow_id}/mq-group", tags=["mq-group"], responses=answers(MQGroupObject, NOT_FOUND))
async def get_group(workflow_id: str, state: State, caller: CallerOf) -> MQGroupObject:
    """All queues of a workflow as one."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    return group_object(workflow)


@router.get("/v1/mqs/mq-profiles/{mqid}", tags=["mq-profiles"], responses=answers(MQProfileObject, NOT_FOUND))
async def get_profile(mqid: str, state: State, caller: CallerOf) -> MQProfileObject:
    """One queue."""
    queue = await queue_of(state.store, caller, mqid)
    _, workflow = await workflow_of(state.store, caller, queue.workflow_id)
    return await _profile(state, workflow, queue)


@router.get(
    "/v1/mqs/workflows/{workflow_id}/mq-profiles/public",
    tags=["mq-profiles"],
    responses=answers(PublicMQProfilesResponse, NOT_FOUND),
)
async def get_public_profiles(workflow_id: str, state: State, caller: CallerOf) -> PublicMQProfilesResponse:
    """The public queues of a workflow, with credentials from when they are activated on. Ask again for fresh ones."""
    _, workflow = await workflow_of(state.store, caller, workflow_id)
    public = [queue for queue in await _queues(state, workflow) if queue.is_public]
    return {"mqprofiles": await _profiles(state, workflow, public)}


@router.get("/mqbroker-issuer/.well-known/jwks.json", responses=answers(JWKSetResponse))
async def get_keys(state: State) -> JWKSetResponse:
    """The public keys of the issuer of queue credentials, for brokers that check them."""
    return {"keys": []}


async def _group(state: ServiceState, workflow: WorkflowDocument) -> MQGroupObjectAndProfiles:
    profiles = await _profiles(state, workflow, await _queues(state, workflow))
    return {"mqgroup": group_object(workflow), "mqprofiles": profiles}


async def _queues(state: ServiceState, workflow: WorkflowDocument) -> list[QueueDocument]:
    found = await find_all(state.store, QUEUES, {"workflow_id": workflow.workflow_id})
    return [QueueDocument.model_validate(stored.body) for stored in found]


async def _profiles(state: ServiceState, workflow: WorkflowDocument, queues: list[QueueDocument]) -> list[MQProfileObject]:
    return list(await asyncio.gather(*(_profile(state, workflow, queue) for queue in queues)))


async def _profile(state: ServiceState, workflow: WorkflowDocument, queue: QueueDocument) -> MQProfileObject:
    profile = queue_object(queue)
    profile["is_activated"] = workflow.active or _is_kept(workflow, queue)
    if profile["is_activated"] and queue.is_public:
        grant = load_grant if queue.direction == "in" else read_grant
        url = await state.access.credentials.issue(grant(queue.workflow_id, queue.mqid), _LIFETIME_SECONDS)
        profile["broker_type"], profile["broker_address"], profile["auth_token"] = queue_credential(url)
    return profile


def _is_kept(workflow: WorkflowDocument, queue: QueueDocument) -> bool:
    """Whether its outputs wait for their reader although its workflow came to its end."""
    return workflow.state is WorkflowState.COMPLETE and workflow.deactivated is None and queue.direction == "out"

"""`/healthz`, `/readyz` and `/metrics`: for whoever operates the service."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from ewms.wms.service.gauges import measure
from ewms.wms.service.readiness import Readiness, readiness
from ewms.wms.service.state import State

router = APIRouter(tags=["operation"])
_METRICS = "text/plain; version=0.0.4; charset=utf-8"


class Health(BaseModel):
    """The process answers."""

    model_config = ConfigDict(frozen=True)

    ok: bool = True
    """It does."""


@router.get("/healthz")
async def healthz() -> Health:
    """Whether the process lives; restart it if not."""
    return Health()


@router.get("/readyz", responses={503: {"model": Readiness}})
async def readyz(request: Request, response: Response, state: State) -> Readiness:
    """Whether the service can do its work, and what is wrong if it cannot."""
    found = await readiness(state, request.app.state.troubles)
    if not found.ready:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return found


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(state: State) -> Response:
    """Measurements for Prometheus."""
    await measure(state)
    return Response(state.metrics.text(), media_type=_METRICS)

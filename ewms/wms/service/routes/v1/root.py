"""`/v1/` and `/v1/schema/openapi`: that the service is there, and what it offers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from ewms.core.service.objects import Nothing
from ewms.wms.service.routes.v1.documented import answers

router = APIRouter(prefix="/v1", tags=["openapi"])


@router.get("/", responses=answers(Nothing))
async def get_root() -> Nothing:
    """Nothing: the service answers."""
    return {}


@router.get("/schema/openapi", responses=answers(dict[str, Any]))
async def get_schema(request: Request) -> dict[str, Any]:
    """The OpenAPI document of all routes."""
    document: dict[str, Any] = request.app.openapi()
    return document

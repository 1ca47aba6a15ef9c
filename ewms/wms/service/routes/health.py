"""`/healthz`: whether the process lives; `/readyz`: whether it can do its work."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

router = APIRouter(tags=["operation"])


@router.get("/healthz")
async def healthz() -> dict[str, Any]:
    """The process answers."""
    return {"ok": True}

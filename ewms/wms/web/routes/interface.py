"""`/docs`: the REST interface for people, from the description that programs read.

FastAPI's own page would fetch its parts from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response
from starlette.routing import Mount

from ewms.wms.access.caller import CallerOf
from ewms.wms.web.pages import pages_of

router = APIRouter(include_in_schema=False)


class Operation(NamedTuple):
    """One route."""

    method: str
    """In capitals."""
    path: str
    """Whole, with its parameters in braces."""
    summary: str
    """In one line."""
    description: str
    """The rest of what there is to say; may be empty."""
    parameters: tuple[tuple[str, str, bool], ...]
    """Name, where it is given, whether it must be."""
    codes: tuple[tuple[str, str], ...]
    """Answers: code and what it means."""


class Interface(NamedTuple):
    """The routes of the service, or of one plugin."""

    title: str
    """For people."""
    schema: str
    """Path of its OpenAPI document."""
    operations: tuple[Operation, ...]
    """In the order of the document."""


@router.get("/docs")
async def show_interface(request: Request, caller: CallerOf) -> Response:
    """Every route of the service and of its plugins."""
    return pages_of(request).page(request, caller, "interface.html", {"interfaces": list(_interfaces(request.app))})


def _interfaces(app: FastAPI) -> Iterator[Interface]:
    yield _interface(app, "The service", "")
    for route in app.routes:
        if isinstance(route, Mount) and isinstance(route.app, FastAPI):
            yield _interface(route.app, route.app.title, route.path)


def _interface(app: FastAPI, title: str, prefix: str) -> Interface:
    paths: dict[str, dict[str, Any]] = app.openapi().get("paths", {})
    operations = [
        Operation(
            method=method.upper(),
            path=prefix + path,
            summary=operation.get("summary", ""),
            description=operation.get("description", ""),
            parameters=tuple(
                (one["name"], one["in"], one.get("required", False)) for one in operation.get("parameters", ())
            ),
            codes=tuple((code, one.get("description", "")) for code, one in operation.get("responses", {}).items()),
        )
        for path, item in paths.items()
        for method, operation in item.items()
    ]
    return Interface(title, f"{prefix}/openapi.json", tuple(operations))


def _parameter(described: dict[str, Any]) -> tuple[str, str, bool]:
    return described["name"], described["in"], described.get("required", False)

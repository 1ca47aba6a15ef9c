"""`/ui/static/…` and `/favicon.…`: what pages are made of; Bokeh's part comes from its own distribution."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ewms.wms.web.static_folder import StaticFolder

router = APIRouter(include_in_schema=False)
_FOLDER = Path(__file__).parent.parent / "static"


@cache
def _own() -> StaticFolder:
    return StaticFolder(directory=_FOLDER)


@cache
def _bokeh() -> StaticFolder | None:
    """BokehJS, without a start of Bokeh itself."""
    found = importlib.util.find_spec("bokeh")
    if found is None or found.origin is None:
        return None
    return StaticFolder(directory=Path(found.origin).parent / "server" / "static")


@router.get("/ui/static/bokeh/{name:path}")
async def get_bokeh(name: str, request: Request) -> Response:
    """A file of BokehJS."""
    folder = _bokeh()
    if folder is None:
        raise HTTPException(404)
    return await folder.get_response(name, request.scope)


@router.get("/ui/static/{name:path}")
async def get_static(name: str, request: Request) -> Response:
    """A file of the web interface."""
    return await _own().get_response(name, request.scope)


@router.get("/favicon.svg")
@router.get("/favicon.ico")
async def favicon(request: Request) -> Response:
    """The service's sign, which browsers ask for by themselves."""
    return await _own().get_response("favicon.svg", request.scope)

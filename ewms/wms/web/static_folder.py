"""Folders of files that belong to pages."""

from __future__ import annotations

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from ewms.wms.web.policy import STATIC_HEADERS


class StaticFolder(StaticFiles):
    """Serves what lies below a folder, and nothing else; 304 for what the browser has already."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file by its path below the folder."""
        response = await super().get_response(path, scope)
        response.headers.update(STATIC_HEADERS)
        return response

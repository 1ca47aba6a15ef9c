"""What another distribution adds to the service: routes and pages of its own, below a prefix of its own.

Named by entry points of the group `ewms.services`: the name is the prefix, the value a subclass of `ServicePlugin`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import ClassVar

from fastapi import APIRouter, Depends, FastAPI

from ewms.core.errors import InputError
from ewms.core.service.new_workflow import NewWorkflow
from ewms.core.service.workflow import WorkflowDocument
from ewms.wms.access.caller import Caller, admitted
from ewms.wms.access.roles import Rule
from ewms.wms.files import Content
from ewms.wms.service import errors
from ewms.wms.service.deactivation import deactivate
from ewms.wms.service.lookup import workflow_of
from ewms.wms.service.state import ServiceState
from ewms.wms.service.submitting import submit_new
from ewms.wms.service.uploads import take_in_bytes
from ewms.wms.web.navigation import NavigationEntry

GROUP = "ewms.services"
_TAKEN = frozenset({"api", "v1", "healthz", "readyz", "metrics", "docs", "redoc", "mqbroker-issuer"})
_is_prefix = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII).fullmatch


class PluginHost:
    """What the service does for a plugin, on behalf of a caller. Everything raises `EwmsError`, which becomes an answer."""

    def __init__(self, state: ServiceState) -> None:
        self._state = state

    async def upload(self, caller: Caller, data: bytes) -> Content:
        """Keep a content, so that a workflow of the same caller may name it by its sha256."""
        return await take_in_bytes(self._state, caller.name, data)

    async def submit(self, caller: Caller, request: NewWorkflow, key: str | None = None) -> WorkflowDocument:
        """Submit a workflow; under the same key, a repeat gives the workflow that is there already."""
        return await submit_new(self._state, caller, request, key)

    async def workflow(self, caller: Caller, workflow_id: str) -> WorkflowDocument:
        """A workflow that the caller may see."""
        return (await workflow_of(self._state.store, caller, workflow_id))[1]

    async def cancel(self, caller: Caller, workflow_id: str) -> None:
        """Give a workflow up."""
        await deactivate(self._state, caller, workflow_id, "ABORTED")


class ServicePlugin(ABC):
    """One plugin of one service; made once, when the service starts."""

    rules: ClassVar[Mapping[str, Rule]] = {}
    """Who may call which route, by method and path below the prefix; a route without a rule is for operators alone."""
    navigation: ClassVar[tuple[NavigationEntry, ...]] = ()
    """Its entries in the menu of the web interface, with paths below the prefix."""
    templates: ClassVar[Path | None] = None
    """Folder of Jinja templates, found as `PREFIX/NAME.html`."""
    static: ClassVar[Path | None] = None
    """Folder that is served to everybody at `/PREFIX/static/`."""

    @abstractmethod
    def router(self, host: PluginHost) -> APIRouter:
        """Its routes, with paths below the prefix. They get their caller by `ewms.wms.access.caller.CallerOf`."""


def load_plugins(points: Iterable[EntryPoint] | None = None) -> dict[str, ServicePlugin]:
    """The installed plugins, by prefix.

    Raises
    ------
    InputError
        One cannot be imported, is no plugin, or its prefix is taken or no plain word.
    """
    plugins: dict[str, ServicePlugin] = {}
    for point in entry_points(group=GROUP) if points is None else points:
        if not _is_prefix(point.name) or point.name in _TAKEN or point.name in plugins:
            raise InputError(f"service plugin '{point.name}' ({point.value}): its name is taken or no plain word; rename it")
        try:
            kind = point.load()
        except (ImportError, AttributeError) as error:
            raise InputError(
                f"service plugin '{point.name}' ({point.value}) cannot be imported: {error}; repair or uninstall it"
            ) from error
        if not (isinstance(kind, type) and issubclass(kind, ServicePlugin)):
            raise InputError(f"service plugin '{point.name}' ({point.value}) is no subclass of ServicePlugin")
        plugins[point.name] = kind()
    return plugins


def plugin_app(plugin: ServicePlugin, state: ServiceState) -> FastAPI:
    """A plugin as an application that is mounted below its prefix: no path of it is ever taken for one of the service's."""
    app = FastAPI(title=type(plugin).__name__, redirect_slashes=False, dependencies=[Depends(admitted)])
    app.state.service = state
    app.state.rules = plugin.rules
    errors.install(app)
    app.include_router(plugin.router(PluginHost(state)))
    return app

"""What another distribution adds to the service: routes and pages of its own, below a prefix of its own.

Named by entry points of the group `ewms.services`: the name is the prefix, the value a subclass of `ServicePlugin`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import ClassVar, NamedTuple

from fastapi import APIRouter, Depends, FastAPI

from ewms.core.errors import InputError
from ewms.stores.collections import Indexes
from ewms.wms.access.caller import admitted
from ewms.wms.access.roles import Rule
from ewms.wms.service import errors
from ewms.wms.service.plugin_host import PluginHost
from ewms.wms.service.plugin_store import collection_name
from ewms.wms.service.state import ServiceState
from ewms.wms.service.supervision import Loop
from ewms.wms.web.navigation import NavigationEntry

GROUP = "ewms.services"
_TAKEN = frozenset({"api", "v1", "ui", "healthz", "readyz", "metrics", "docs", "redoc", "mqbroker-issuer"})
_is_prefix = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII).fullmatch


class ServicePlugin(ABC):
    """One plugin of one service; made once, when the service starts."""

    rules: ClassVar[Mapping[str, Rule]] = {}
    """Who may call which route, by method and path below the prefix; a route without a rule is for operators alone."""
    collections: ClassVar[Mapping[str, Indexes]] = {}
    """Collections of its own in the service's store, with the dotted keys that are indexed together."""
    remembered: ClassVar[Mapping[str, float]] = {}
    """Collections of its own whose documents are deleted so many seconds after their `timestamp`."""
    navigation: ClassVar[tuple[NavigationEntry, ...]] = ()
    """Shown in the web interface's menu."""
    templates: ClassVar[Path | None] = None
    """Folder of Jinja2 templates: `name.html` in it is `PREFIX/name.html` among the templates of the web interface."""
    static: ClassVar[Path | None] = None
    """Folder whose files are served below `/PREFIX/static/`, to everybody."""

    @abstractmethod
    def router(self, host: PluginHost) -> APIRouter:
        """Its routes, with paths below the prefix. They get their caller by `ewms.services.CallerOf`."""

    async def run(self, host: PluginHost) -> None:
        """What it does beside its routes, until `host.stopping` is set.

        Where it raises it is started again after a while; meanwhile `/readyz` tells why it does not run.
        """
        await host.stopping.wait()


class Hosted(NamedTuple):
    """A plugin with the service that it works in."""

    plugin: ServicePlugin
    """It itself."""
    host: PluginHost
    """The service, as it sees it."""


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


def collections_of(plugins: Mapping[str, ServicePlugin]) -> dict[str, Indexes]:
    """The collections of plugins, by the store's names."""
    return {
        collection_name(prefix, collection): indexes
        for prefix, plugin in plugins.items()
        for collection, indexes in plugin.collections.items()
    }


def remembered_by(plugins: Mapping[str, ServicePlugin]) -> dict[str, float]:
    """For how many seconds documents are kept, by the store's names of collections that are not kept for ever."""
    return {
        collection_name(prefix, collection): seconds
        for prefix, plugin in plugins.items()
        for collection, seconds in plugin.remembered.items()
    }


def hosted(plugins: Mapping[str, ServicePlugin], state: ServiceState) -> dict[str, Hosted]:
    """Plugins in a service whose store was opened after `make_known(collections_of(plugins))`.

    Raises
    ------
    InputError
        The configuration has settings for a plugin that is not there.
    """
    for name in state.configuration.plugins:
        if name not in plugins:
            known = ", ".join(sorted(plugins)) or "none"
            raise InputError(f"[plugins.{name:.60}]: no such service plugin is installed; installed are: {known}")
    return {
        prefix: Hosted(plugin, PluginHost(state, prefix, tuple(plugin.collections))) for prefix, plugin in plugins.items()
    }


def plugin_loops(plugins: Mapping[str, Hosted]) -> dict[str, Loop]:
    """What plugins do beside their routes, by name."""
    return {f"plugin {prefix}": partial(plugin.run, host) for prefix, (plugin, host) in plugins.items()}


def plugin_app(plugin: ServicePlugin, host: PluginHost, state: ServiceState) -> FastAPI:
    """A plugin as an application that is mounted below its prefix: no path of it is ever taken for one of the service's."""
    app = FastAPI(
        title=type(plugin).__name__,
        redirect_slashes=False,
        dependencies=[Depends(admitted)],
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = state
    app.state.rules = plugin.rules
    errors.install(app)
    app.include_router(plugin.router(host))
    return app

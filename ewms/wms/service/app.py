"""The service as an ASGI application."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Depends, FastAPI

from ewms import __version__
from ewms.wms.access.caller import admitted
from ewms.wms.service import errors
from ewms.wms.service.body_limit import BodyLimit
from ewms.wms.service.plugin import Hosted, plugin_app
from ewms.wms.service.requests import Requests
from ewms.wms.service.routes import api, health, v1
from ewms.wms.service.state import ServiceState
from ewms.wms.web import routes as web
from ewms.wms.web.pages import Extension, Pages
from ewms.wms.web.static_folder import StaticFolder


def create_app(
    state: ServiceState,
    troubles: Mapping[str, str] | None = None,
    plugins: Mapping[str, Hosted] | None = None,
) -> FastAPI:
    """All routes over one state, which is open for as long as the app serves.

    Parameters
    ----------
    troubles
        Why loops beside the routes do not run for now, by name.
    plugins
        Of other distributions, by the prefixes of their paths.
    """
    app = FastAPI(
        title="ewms",
        version=__version__,
        redirect_slashes=False,
        dependencies=[Depends(admitted)],
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = state
    app.state.troubles = {} if troubles is None else troubles
    app.state.pages = pages = _pages_for(state, plugins or {})
    errors.install(app)
    app.add_middleware(BodyLimit, limit=state.configuration.service.max_request)
    app.add_middleware(Requests, metrics=state.metrics)
    for router in (health.router, *api.routers, *v1.routers, *web.routers):
        app.include_router(router)
    for prefix, (plugin, host) in (plugins or {}).items():
        mounted = plugin_app(plugin, host, state)
        mounted.state.pages = pages
        if plugin.static is not None:
            app.mount(f"/{prefix}/static", StaticFolder(directory=plugin.static))
        app.mount(f"/{prefix}", mounted)
    return app


def _pages_for(state: ServiceState, plugins: Mapping[str, Hosted]) -> Pages:
    extensions = {prefix: Extension(one.rules, one.navigation, one.templates) for prefix, (one, _) in plugins.items()}
    return Pages(extensions, is_open=state.configuration.access.anonymous)

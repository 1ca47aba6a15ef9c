"""Pages: templates in the layout of the web interface, for a caller."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from fastapi import Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from ewms import __version__
from ewms.wms.access.caller import Caller
from ewms.wms.access.roles import RULES, Rule, rule_of
from ewms.wms.web.filters import FILTERS
from ewms.wms.web.navigation import NavigationEntry
from ewms.wms.web.policy import page_headers

At = Annotated[int, Query(ge=0, lt=1 << 53, description="How many were on the pages before, for people.")]
_TEMPLATES = Path(__file__).with_name("templates")
_WORKFLOWS, _SYSTEM = NavigationEntry("Workflows", "/ui/workflows"), NavigationEntry("System", "/ui/system")


class Extension(NamedTuple):
    """What a plugin adds to the web interface."""

    rules: Mapping[str, Rule]
    """Who may call its routes, by method and path below its prefix."""
    navigation: tuple[NavigationEntry, ...]
    """Its entries in the menu, with paths below its prefix."""
    templates: Path | None
    """Folder of its templates."""


class Pages:
    """Makes the pages of one service.

    Parameters
    ----------
    extensions
        By the prefixes of plugins.
    is_open
        Whoever comes is let in, so nobody logs in or out.
    """

    def __init__(self, extensions: Mapping[str, Extension], *, is_open: bool = False) -> None:
        self._rules = dict(RULES)
        entries = [_WORKFLOWS]
        folders: dict[str, BaseLoader] = {}
        for prefix, extension in extensions.items():
            entries += (NavigationEntry(entry.title, f"/{prefix}{entry.path}") for entry in extension.navigation)
            for route, rule in extension.rules.items():
                method, _, path = route.partition(" ")
                self._rules[f"{method} /{prefix}{path}"] = rule
            if extension.templates is not None:
                folders[prefix] = FileSystemLoader(extension.templates)
        self._entries = (*entries, _SYSTEM)
        self._environment = Environment(
            loader=ChoiceLoader([PrefixLoader(folders), FileSystemLoader(_TEMPLATES)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(FILTERS)
        self._environment.globals.update(version=__version__, is_open=is_open)

    def page(
        self,
        request: Request,
        caller: Caller | None,
        template: str,
        values: Mapping[str, Any],
        code: int = HTTPStatus.OK,
    ) -> HTMLResponse:
        """A page.

        Parameters
        ----------
        caller
            For whom; None for somebody who is not known.
        template
            Name of a template; of a plugin, behind its prefix.
        values
            What it shows, beside `caller`, `can`, `entries`, `path`, `nonce`, `version` and `is_open`.
        """
        nonce, can = secrets.token_urlsafe(16), self._can(caller)
        entries = [entry for entry in self._entries if can(f"GET {entry.path}")]
        given = {"caller": caller, "can": can, "entries": entries, "path": request.url.path, "nonce": nonce}
        text = self._environment.get_template(template).render({**given, **values})
        return HTMLResponse(text, code, page_headers(nonce))

    def _can(self, caller: Caller | None) -> Callable[[str], bool]:
        """Whether the caller may call a route, by its method and whole path."""

        def can(route: str) -> bool:
            method, _, path = route.partition(" ")
            roles = rule_of(method, path, self._rules).roles
            return roles is None or (caller is not None and caller.role in roles)

        return can


def pages_of(request: Request) -> Pages:
    """The pages of the service that a request came to, or that its plugin is mounted in."""
    pages: Pages = request.app.state.pages
    return pages

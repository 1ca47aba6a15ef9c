"""Entries of the menu."""

from __future__ import annotations

from typing import NamedTuple


class NavigationEntry(NamedTuple):
    """One entry of the web interface's menu."""

    title: str
    """As people read it."""
    path: str
    """Where it leads; of a plugin, below its prefix. A caller who may not `GET` it does not see the entry."""

"""Filters of people, fitted to how documents are kept. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def pinned(filter_: Mapping[str, Any], key: str) -> str | None:
    """The text that a key must equal; None where it may be anything else too."""
    value = filter_.get(key)
    return value if isinstance(value, str) else None


def renamed(filter_: Mapping[str, Any], name: Callable[[str], str]) -> dict[str, Any]:
    """The same filter over other keys; it was parsed before, so it is well formed."""
    return {
        (key if key.startswith("$") else name(key)): [renamed(part, name) for part in value]
        if key.startswith("$")
        else value
        for key, value in filter_.items()
    }

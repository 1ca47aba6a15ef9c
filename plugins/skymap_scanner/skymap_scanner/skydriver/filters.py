"""What clients look for among scans: filters over manifests. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ewms.services import InputError, Query

DERIVED = frozenset({"progress", "scan_state", "condition", "result"})
"""What is derived at each look, and so cannot be looked for."""


def scan_query(filter_: Mapping[str, Any], *, include_deleted: bool = False) -> Query:
    """The query that a filter means; without scans that were deleted, unless it speaks of them.

    Raises
    ------
    InputError
        It uses what is not supported, or looks for what is derived.
    """
    names = set(_names(filter_))
    for name in sorted(names):
        if name.partition(".")[0] in DERIVED:
            raise InputError(f"filter: {name!r:.80} is derived at each look and cannot be looked for; outcome can")
    Query.parse(dict(filter_))  # for a message that speaks of what was sent
    if include_deleted or "is_deleted" in names:
        return Query.parse(dict(filter_))
    return Query.parse({"$and": [dict(filter_), {"is_deleted": False}]} if filter_ else {"is_deleted": False})


def _names(filter_: Any) -> Iterator[str]:
    """The fields that a filter names."""
    if isinstance(filter_, list):
        for each in filter_:
            yield from _names(each)
    elif isinstance(filter_, Mapping):
        for name, condition in filter_.items():
            if str(name).startswith("$"):
                yield from _names(condition)
            else:
                yield str(name)

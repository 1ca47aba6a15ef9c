"""What every store takes, checked before anything is written."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from ewms.core.errors import InputError
from ewms.core.query import Kind, kind_of, value_at
from ewms.stores.collections import INDEXES

MAX_BYTES = 12 << 20
"""Largest body as JSON: a document of MongoDB's ends at 16 MiB of its own encoding."""
_MAX_DEPTH = 50
_MAX_INTEGER = 1 << 63
_encode = msgspec.json.Encoder().encode
is_workflow_id = re.compile(r"WF-[A-Za-z0-9-]{1,100}").fullmatch


def indexed_keys(collection: str) -> frozenset[str]:
    """The keys of a collection that some index holds; `InputError` if there is no such collection."""
    try:
        return frozenset(key for keys in INDEXES[collection] for key in keys)
    except KeyError:
        raise InputError(f"there is no collection {collection!r:.60}; see ewms.stores.collections") from None


def encoded(collection: str, body: object) -> bytes:
    """A body as JSON.

    Raises
    ------
    InputError
        It holds what is not JSON, an integer above 64 bits, NUL in a key, a list or truth value under an indexed key, or is
        too large; one line with the place.
    """
    indexed = indexed_keys(collection)
    if not isinstance(body, dict):
        raise InputError(f"a document of {collection} must be an object, not {body!r:.60}")
    for key in indexed:
        _check_indexed(collection, body, key)
    return plain(collection, body)


def plain(place: str, body: object) -> bytes:
    """Any JSON value that every store takes, as JSON; `InputError` as in `encoded`."""
    _check(body, place, 0)
    try:
        data = _encode(body)
    except UnicodeEncodeError:
        raise InputError(f"{place} holds a text that is not Unicode") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{place} holds {len(data) >> 20} MiB in one document; at most {MAX_BYTES >> 20} MiB are taken")
    return data


def _check(value: object, place: str, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise InputError(f"{place:.200} is nested deeper than {_MAX_DEPTH} levels")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or not key or "\0" in key:
                raise InputError(f"{place}: {key!r:.60} cannot be a key; use a text without NUL")
            _check(item, f"{place}.{key}", depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, place, depth + 1)
    elif kind_of(value) is None:
        raise InputError(f"{place} holds {value!r:.60}, which is not a JSON value")
    elif (isinstance(value, float) and not math.isfinite(value)) or (
        isinstance(value, int) and not -_MAX_INTEGER <= value < _MAX_INTEGER
    ):
        raise InputError(f"{place} holds {value!r:.60}, which is no number of 64 bits")


def _check_indexed(collection: str, body: dict[str, Any], key: str) -> None:
    segments = key.split(".")
    parents = [value_at(body, ".".join(segments[:length])) for length in range(1, len(segments))]
    value = next((parent for parent in parents if isinstance(parent, list)), value_at(body, key))
    if kind_of(value) not in {Kind.TEXT, Kind.NUMBER, Kind.NULL} or (isinstance(value, str) and "\0" in value):
        raise InputError(
            f"{collection}.{key} is indexed, so it must be a text without NUL, a number or null, not {value!r:.60}"
        )


def check_amounts(owner: str, amounts: Mapping[str, int]) -> Mapping[str, int]:
    """The amounts themselves; `InputError` if one is no integer that can be added to a counter of 64 bits."""
    for name, amount in amounts.items():
        if not isinstance(amount, int) or isinstance(amount, bool) or abs(amount) > _MAX_INTEGER >> 1:
            raise InputError(f"counter {name!r:.60} of {owner} cannot be changed by {amount!r:.60}; use an integer")
    return amounts


def check_workflow_id(workflow_id: str) -> str:
    """The id itself; `InputError` for anything that might lead elsewhere as part of a path."""
    if not is_workflow_id(workflow_id):
        raise InputError(f"{workflow_id!r:.120} is not the id of a workflow, such as WF-690f2a10-5c0ffee5")
    return workflow_id

"""Queries and listings as MongoDB's filters over documents `{_id: key, version, body}`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, assert_never

from bson.int64 import Int64

from ewms.core.query import AllOf, AnyOf, Compared, Kind, Not, OneOf, Part, Query, Scalar, kind_of
from ewms.stores._checks import indexed_keys
from ewms.stores._cursors import Listing, Position

Filter = dict[str, Any]
_RANKED: dict[Kind, Filter] = {Kind.NULL: {"$eq": None}, Kind.NUMBER: {"$gte": -math.inf}, Kind.TEXT: {"$gte": ""}}
"""All values of each kind that an indexed key may hold, in MongoDB's order and ours."""


def filter_of(collection: str, query: Query | None) -> Filter:
    """What finds the documents of a query."""
    filters = _Filters(indexed_keys(collection))
    return {} if query is None else filters.of(query.root)


def all_of(filters: Sequence[Filter]) -> Filter:
    """What all filters find. One object where that is possible: not every server takes an index for `$and`."""
    together: Filter = {}
    for each in filters:
        if together.keys() & each:
            return {"$and": [*filters]}
        together |= each
    return together


class _Filters:
    """Makes filters, given the keys that never lead through a list because they are indexed."""

    def __init__(self, indexed: frozenset[str]) -> None:
        self._indexed = indexed

    def of(self, part: Part) -> Filter:
        match part:
            case AllOf(parts=parts):
                return all_of([self.of(each) for each in parts])
            case AnyOf(parts=parts):
                return {"$or": [self.of(each) for each in parts]}
            case Not(part=negated):
                return {"$nor": [self.of(negated)]}
            case OneOf(key=key, values=values):
                return self._equal(key, values)
            case Compared(key=key, comparison=comparison, bound=bound):
                return {**self._through_objects(key), f"body.{key}": {comparison: bound}}
            case _:
                assert_never(part)

    def _equal(self, key: str, values: Sequence[Scalar]) -> Filter:
        others = [value for value in values if value is not None]
        alternatives: list[Filter] = []
        if others or not values:
            wanted = others[0] if len(others) == 1 else {"$in": others}
            alternatives.append({**self._through_objects(key), f"body.{key}": wanted})
        if len(others) < len(values):
            # To us a key behind a list is missing; MongoDB would look into the elements.
            alternatives += [{f"body.{key}": None}, *({prefix: {"$type": "array"}} for prefix in self._prefixes(key))]
        return alternatives[0] if len(alternatives) == 1 else {"$or": alternatives}

    def _through_objects(self, key: str) -> Filter:
        return {prefix: {"$not": {"$type": "array"}} for prefix in self._prefixes(key)}

    def _prefixes(self, key: str) -> list[str]:
        segments = [] if key in self._indexed else key.split(".")
        return [f"body.{'.'.join(segments[:length])}" for length in range(1, len(segments))]


def ranges(listing: Listing, position: Position | None) -> list[Filter]:
    """Filters that find the documents behind a position, one after the other: each is one range of an index.

    One filter with `$or` would find the same, but not every server takes an index for it.
    """
    if position is None:
        return [{}]
    paths, values = [f"body.{key}" for key in listing.order], position.values
    side = "$lt" if listing.descending else "$gt"
    found: list[Filter] = [{**dict(zip(paths, values, strict=True)), "_id": {side: position.key}}]
    for depth in reversed(range(len(paths))):
        same = dict(zip(paths[:depth], values, strict=False))
        found += [{**same, paths[depth]: beyond} for beyond in _beyond(values[depth], side)]
    return found


def _beyond(value: Scalar, side: str) -> list[Filter]:
    kinds = list(_RANKED) if side == "$gt" else list(reversed(_RANKED))
    kind = kind_of(value)
    further = [_RANKED[each] for each in kinds[kinds.index(kind) + 1 :]] if kind in _RANKED else []
    return further if value is None else [{side: value}, *further]


def ordered(listing: Listing) -> list[tuple[str, int]]:
    """The order of a listing, as a sort and as the keys of an index."""
    direction = -1 if listing.descending else 1
    return [(f"body.{key}", direction) for key in listing.order] + [("_id", direction)]


def plain(value: Any) -> Any:
    """A body as it was written: MongoDB's integers of 64 bits come back as a type of their own."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, Int64) else value

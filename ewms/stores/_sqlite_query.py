"""Queries as SQL over a table of `_sqlite_schema`.

An indexed key is a column, named `$.key`, whose null is below all numbers: so a listing can go on behind any value by one
search of an index. Any other key is looked up in the body, where a list offers its elements.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import assert_never

from ewms.core.query import AllOf, AnyOf, Compared, Kind, Not, OneOf, Part, Query, Scalar, kind_of
from ewms.stores._checks import indexed_keys
from ewms.stores._cursors import Listing, Position

NULL = "-9e999"
"""Minus infinity: what an indexed null is."""
_SYMBOLS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_BOUNDS = {(Kind.NUMBER, ">"): "AND {} < ''", (Kind.NUMBER, "<"): f"AND {{}} > {NULL}", (Kind.TEXT, "<"): "AND {} >= ''"}
"""What keeps the comparison of a column within one kind: nulls are below numbers, and they are below texts."""
_TYPES = {Kind.NUMBER: "e.type IN ('integer', 'real')", Kind.TEXT: "e.type = 'text'"}
"""What keeps the comparison of an element within one kind."""


class Sql:
    """Expressions over a collection's table, and the values of their parameters in the same order.

    Parameters
    ----------
    collection
        Whose indexed keys are columns.
    """

    def __init__(self, collection: str) -> None:
        self.parameters: list[Scalar] = []
        self._columns = indexed_keys(collection)

    def where(self, query: Query | None) -> str:
        """True for the documents of a query."""
        return "1" if query is None else self._part(query.root)

    def beyond(self, listing: Listing, position: Position | None) -> str:
        """True for the documents of a listing behind a position."""
        if position is None:
            return "1"
        self.parameters += [-math.inf if value is None else value for value in position.values]
        self.parameters.append(position.key)
        marks = ", ".join("?" * (len(position.values) + 1))
        return f"({', '.join(_columns(listing))}) {'<' if listing.descending else '>'} ({marks})"

    def _part(self, part: Part) -> str:
        match part:
            case AllOf(parts=parts):
                return f"({' AND '.join([self._part(each) for each in parts]) or '1'})"
            case AnyOf(parts=parts):
                return f"({' OR '.join([self._part(each) for each in parts])})"
            case Not(part=negated):
                return f"NOT {self._part(negated)}"
            case OneOf(key=key, values=values):
                equal = self._column_equals if key in self._columns else self._body_equals
                return f"({' OR '.join([equal(key, kind, group) for kind, group in _by_kind(values)]) or '0'})"
            case Compared(key=key, comparison=comparison, bound=bound):
                return self._compared(key, _SYMBOLS[comparison], bound)
            case _:
                assert_never(part)

    def _compared(self, key: str, symbol: str, bound: str | float) -> str:
        kind = Kind.TEXT if isinstance(bound, str) else Kind.NUMBER
        if key not in self._columns:
            return self._element(key, f"{_TYPES[kind]} AND e.atom {symbol} ?", bound)
        self.parameters.append(bound)
        column = f'"$.{key}"'
        return f"({column} {symbol} ? {_BOUNDS.get((kind, symbol[0]), '').format(column)})"

    def _column_equals(self, key: str, kind: Kind | None, values: Sequence[Scalar]) -> str:
        if kind is Kind.TRUTH:
            return "0"  # no indexed value is one
        if kind not in _TYPES:
            return f'"$.{key}" = {NULL}'
        if len(values) == 1:
            self.parameters.append(values[0])
            return f'"$.{key}" = ?'
        self.parameters.append(json.dumps(values))
        return f'"$.{key}" IN (SELECT value FROM json_each(?))'

    def _body_equals(self, key: str, kind: Kind | None, values: Sequence[Scalar]) -> str:
        if kind is Kind.TRUTH:
            return self._element(key, " OR ".join({f"e.type = '{str(value).lower()}'" for value in values}))
        if kind not in _TYPES:
            self.parameters.append(_path(key))
            null = self._element(key, "e.type = 'null'")
            return f"(json_type(body, ?) IS NULL OR {null})"
        test = f"{_TYPES[kind]} AND e.atom IN (SELECT value FROM json_each(?))"
        return self._element(key, test, json.dumps(values))

    def _element(self, key: str, test: str, *operands: Scalar) -> str:
        self.parameters += [_path(key), _path(key), *operands]
        elements = "SELECT 1 FROM json_each(body, ?) AS e WHERE json_type(body, ?) IS NOT 'object'"
        return f"EXISTS ({elements} AND ({test}))"


def ordered(listing: Listing) -> str:
    """What comes behind ORDER BY."""
    return ", ".join(f"{column} {'DESC' if listing.descending else 'ASC'}" for column in _columns(listing))


def _columns(listing: Listing) -> list[str]:
    return [*(f'"$.{key}"' for key in listing.order), "key"]


def _path(key: str) -> str:
    return "$" + "".join(f'."{segment}"' for segment in key.split("."))


def _by_kind(values: Iterable[Scalar]) -> Iterable[tuple[Kind | None, Sequence[Scalar]]]:
    groups: defaultdict[Kind | None, list[Scalar]] = defaultdict(list)
    for value in values:
        groups[kind_of(value)].append(value)
    return groups.items()

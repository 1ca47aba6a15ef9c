"""Filters over documents: the part of MongoDB's language that every store and `Query.matches` understand alike. Pure.

```
{"state": "running", "priority": {"$gte": 50, "$lt": 100}, "$or": [{"owner": "ada"}, {"labels.site": {"$in": ["a", "b"]}}]}
```

A dotted key leads through objects, never through lists. A list at its end satisfies a condition if one of its elements does;
a key that is missing is null. Values of two kinds (texts, numbers, truth values, null) are neither equal nor in any order.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any, Literal

from ewms.core.errors import InputError

Scalar = str | int | float | bool | None
"""What a condition may compare with."""
Comparison = Literal["$gt", "$gte", "$lt", "$lte"]
"""Greater, greater or equal, less, less or equal; texts by code point."""

MAX_DEPTH = 10
"""How deep `$and` and `$or` may be nested."""
MAX_CONDITIONS = 200
"""Conditions in one query."""
MAX_VALUES = 10_000
"""Values in one `$in`."""

_COMPARISONS: dict[str, Comparison] = {"$gt": "$gt", "$gte": "$gte", "$lt": "$lt", "$lte": "$lte"}
_COMPARE = {"$gt": gt, "$gte": ge, "$lt": lt, "$lte": le}
_SUPPORTED = "$eq, $ne, $in, $gt, $gte, $lt, $lte or a plain value"
_INTEGERS = range(-(1 << 63), 1 << 63)
_is_segment = re.compile(r'[^\x00-\x1f"\\.$][^\x00-\x1f"\\.]*').fullmatch


@dataclass(frozen=True, slots=True)
class Query:
    """An immutable, checked filter."""

    root: Part
    """Its outermost part."""

    @classmethod
    def parse(cls, filter_: object) -> Query:
        """The query that a filter means.

        Raises
        ------
        InputError
            It is not a JSON object, or uses what is not supported; one line with the place.
        """
        return cls(_Parser().parse(filter_, "query", 0))

    def matches(self, document: Mapping[str, Any]) -> bool:
        """Whether a document of JSON values satisfies it."""
        return self.root.matches(document)


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value of a key equals one of several."""

    key: str
    """Dotted."""
    values: tuple[Scalar, ...]
    """Of any kinds; none means that nothing matches."""

    def matches(self, document: Mapping[str, Any]) -> bool:
        """See `Query.matches`."""
        wanted = {(kind_of(value), value) for value in self.values}
        return any((kind_of(value), value) in wanted for value in _found(document, self.key) if kind_of(value))


@dataclass(frozen=True, slots=True)
class Compared:
    """The value of a key is on one side of a bound of its kind."""

    key: str
    """Dotted."""
    comparison: Comparison
    """Which side."""
    bound: str | int | float
    """A text or a number."""

    def matches(self, document: Mapping[str, Any]) -> bool:
        """See `Query.matches`."""
        compare, kind = _COMPARE[self.comparison], kind_of(self.bound)
        return any(kind_of(value) is kind and compare(value, self.bound) for value in _found(document, self.key))


@dataclass(frozen=True, slots=True)
class Not:
    """A part does not hold."""

    part: Part
    """Which."""

    def matches(self, document: Mapping[str, Any]) -> bool:
        """See `Query.matches`."""
        return not self.part.matches(document)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Part, ...]
    """None means that everything matches."""

    def matches(self, document: Mapping[str, Any]) -> bool:
        """See `Query.matches`."""
        return all(part.matches(document) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Part, ...]
    """At least one."""

    def matches(self, document: Mapping[str, Any]) -> bool:
        """See `Query.matches`."""
        return any(part.matches(document) for part in self.parts)


Part = OneOf | Compared | Not | AllOf | AnyOf


class Kind(enum.Enum):
    """Within what values compare."""

    NULL = "null"
    NUMBER = "number"
    TEXT = "text"
    TRUTH = "truth value"


def kind_of(value: object) -> Kind | None:
    """The kind of a value; None for lists and objects."""
    if value is None:
        return Kind.NULL
    if isinstance(value, bool):
        return Kind.TRUTH
    if isinstance(value, int | float):
        return Kind.NUMBER
    return Kind.TEXT if isinstance(value, str) else None


def value_at(document: Mapping[str, Any], key: str) -> Any:
    """What a dotted key leads to; None where there is nothing."""
    value: Any = document
    for segment in key.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(segment)
    return value


def _found(document: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = value_at(document, key)
    return value if isinstance(value, list) else [value]


class _Parser:
    """Counts the conditions while it parses."""

    def __init__(self) -> None:
        self._conditions = 0

    def parse(self, filter_: object, place: str, depth: int) -> Part:
        if not isinstance(filter_, Mapping):
            raise InputError(f'{place} must be a JSON object such as {{"state": "running"}}, not {_shown(filter_)}')
        if depth > MAX_DEPTH:
            raise InputError(f"{place:.200} is nested deeper than {MAX_DEPTH} levels; make it flatter")
        parts: list[Part] = []
        for key, value in filter_.items():
            here = f"{place}.{key!s:.100}"
            if key in {"$and", "$or"}:
                combined = tuple(self._combined(value, here, depth))
                parts.append(AllOf(combined) if key == "$and" else AnyOf(combined))
            else:
                parts.extend(self._of_key(key, value, here))
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _combined(self, filters: object, place: str, depth: int) -> Iterator[Part]:
        if not isinstance(filters, list | tuple) or not filters:
            raise InputError(f"{place} must be a list of at least one query, not {_shown(filters)}")
        for index, filter_ in enumerate(filters):
            yield self.parse(filter_, f"{place}[{index}]", depth + 1)

    def _of_key(self, key: object, value: object, place: str) -> Iterator[Part]:
        if isinstance(key, str) and key.startswith("$"):
            raise InputError(f"{place} is not supported; use $and, $or and keys of documents")
        if not isinstance(key, str) or not all(_is_segment(segment) for segment in key.split(".")):
            raise InputError(f"{place} cannot be a key; use names with dots between them, without quotes or a leading $")
        if not isinstance(value, Mapping):
            yield self._condition(key, "$eq", value, place)
        elif not value:
            raise InputError(f"{place} has no operator; use {_SUPPORTED}")
        else:
            for operator, operand in value.items():
                yield self._condition(key, operator, operand, f"{place}.{operator!s:.100}")

    def _condition(self, key: str, operator: object, operand: object, place: str) -> Part:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise InputError(
                f"{place} is one condition too many; at most {MAX_CONDITIONS} are allowed, use $in where it fits"
            )
        if operator == "$eq":
            return OneOf(key, (_scalar(operand, place),))
        if operator == "$ne":
            return Not(OneOf(key, (_scalar(operand, place),)))
        if operator == "$in":
            if not isinstance(operand, list | tuple) or len(operand) > MAX_VALUES:
                raise InputError(f"{place} must be a list of at most {MAX_VALUES} values, not {_shown(operand)}")
            return OneOf(key, tuple(_scalar(value, f"{place}[{index}]") for index, value in enumerate(operand)))
        if not isinstance(operator, str) or operator not in _COMPARISONS:
            raise InputError(f"{place} is not supported; use {_SUPPORTED}")
        bound = _scalar(operand, place)
        if bound is None or isinstance(bound, bool):
            raise InputError(f"{place} must be a text or a number, not {_shown(operand)}")
        return Compared(key, _COMPARISONS[operator], bound)


def _scalar(value: object, place: str) -> Scalar:
    if isinstance(value, str) and "\0" not in value and _is_unicode(value):
        return str.__str__(value)  # a plain text where it is a member of an enumeration
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and value in _INTEGERS:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise InputError(f"{place} must be a text without NUL, a number of 64 bits, true, false or null, not {_shown(value)}")


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return "an object" if isinstance(value, Mapping) else f"{value!r:.60}"

"""What a rule asks of one fact. Pure."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from skymap_scanner.skydriver.auto.facts import DATA, Value
from skymap_scanner.skydriver.auto.nearest import nearest

_TEXTS: Final = ("type", "stream", "sender", "fits")
_NUMBERS: Final = ("run", "event", "mjd", "charge", "modules", "pulses", "strings", "energy")
_TRUTHS: Final = ("real",)
FACTS: Final = (*_TEXTS, *_NUMBERS, *_TRUTHS)
"""Names of facts, beside those that begin with `data.`."""
_KEYS: Final = ("min", "max", "not")
_FORMS: Final = {
    _TEXTS: '"TEXT", a list of texts or { not = … }; * stands for any letters',
    _NUMBERS: "a number, a list of numbers, { min = …, max = … } or { not = … }",
    _TRUTHS: "true or false",
}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Holds where any value of a fact is wanted; never where nothing is known."""

    wanted: tuple[Value, ...] = ()
    """Any of these: numbers and truths as they are, texts without regard to capitals and with `*` for any letters."""
    least: float = -math.inf
    """Of a number, itself included; only where nothing is `wanted`."""
    most: float = math.inf
    """Of a number, itself included."""
    is_negated: bool = False
    """Holds where no value is wanted."""

    def holds(self, values: Iterable[Value]) -> bool:
        """Whether it does for a fact of these values."""
        known = list(values)
        return bool(known) and any(map(self._is_wanted, known)) != self.is_negated

    def _is_wanted(self, value: Value) -> bool:
        if self.wanted:
            return any(_is_like(value, one) for one in self.wanted)
        return isinstance(value, int | float) and not isinstance(value, bool) and self.least <= value <= self.most


def _is_like(value: Value, wanted: Value) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return fnmatch.fnmatchcase(value.casefold(), wanted.casefold().replace("[", "[[]"))
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def condition_of(fact: str, given: Any) -> Condition:
    """What a rule file says of a fact; `ValueError` in one line where that is no condition, or the fact has no such name."""
    if fact.startswith(DATA):
        return _parsed(given, (bool, int, float, str), f"{_FORMS[_NUMBERS]}, or a text")
    if fact not in FACTS:
        raise ValueError(f"there is no such fact; {nearest(fact, (*FACTS, f'{DATA}PATH'))}")
    if fact in _TRUTHS:
        return _parsed(given, (bool,), _FORMS[_TRUTHS])
    if fact in _NUMBERS:
        return _parsed(given, (int, float), _FORMS[_NUMBERS])
    return _parsed(given, (str,), _FORMS[_TEXTS])


def _parsed(given: Any, kinds: tuple[type, ...], form: str) -> Condition:
    if isinstance(given, dict):
        return _of_table(given, kinds, form)
    wanted = given if isinstance(given, list) else [given]
    if not wanted or not all(_is_of(value, kinds) for value in wanted):
        raise ValueError(f"write {form}")
    return Condition(wanted=tuple(wanted))


def _of_table(given: dict[str, Any], kinds: tuple[type, ...], form: str) -> Condition:
    for key in given:
        if key not in _KEYS:
            raise ValueError(f"unknown key '{key}'; {nearest(key, _KEYS)}")
    if "not" in given:
        if len(given) > 1 or (isinstance(given["not"], dict) and "not" in given["not"]):
            raise ValueError("'not' stands alone; write { not = … }")
        inner = _parsed(given["not"], kinds, form)
        return Condition(wanted=inner.wanted, least=inner.least, most=inner.most, is_negated=True)
    if float not in kinds or not given or not all(_is_of(value, (int, float)) for value in given.values()):
        raise ValueError(f"write {form}")
    least, most = given.get("min", -math.inf), given.get("max", math.inf)
    if not least <= most:
        raise ValueError(f"min = {least} is above max = {most}; nothing is both")
    return Condition(least=least, most=most)


def _is_of(value: Any, kinds: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in kinds
    return isinstance(value, kinds) and value == value  # noqa: PLR0124 - no NaN: nothing is like it

"""Sizes as SkyDriver's clients write them: `1GB`, `1024M`, `8 gigabytes`, `2GiB` or a number of bytes. Pure."""

from __future__ import annotations

import re
from typing import Any

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.ASCII | re.IGNORECASE)
_WORDS = {"kilo": "k", "mega": "m", "giga": "g", "tera": "t", "peta": "p"}
_POWERS = {letter: power for power, letter in enumerate("kmgtp", start=1)}
_MOST = 1 << 50


def parse_data_size(value: Any) -> Any:
    """Bytes that are meant; `ValueError` for a text that means none. What is no text is returned as it is."""
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value)
    factor = None if match is None else _factor(match[2].lower())
    if match is None or factor is None or float(match[1]) * factor > _MOST:
        raise ValueError(f"{value!r:.60} is not a size; write for example 8GB, 1024M or 2GiB")
    return int(float(match[1]) * factor)


def _factor(unit: str) -> int | None:
    """The bytes of a unit; None for no unit. Powers of 1000, as in SkyDriver, but for those with an `i`."""
    if unit in {"", "b", "byte", "bytes"}:
        return 1
    for word, letter in _WORDS.items():
        if unit in {f"{word}byte", f"{word}bytes"}:
            return int(1000 ** _POWERS[letter])
    letter, rest = unit[0], unit[1:]
    if letter not in _POWERS or rest not in {"", "b", "ib", "i"}:
        return None
    return int((1024 if rest.startswith("i") else 1000) ** _POWERS[letter])

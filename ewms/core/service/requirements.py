"""What users ask of a slot, checked when they ask for it: sizes, and requirements in HTCondor's expression language."""

from __future__ import annotations

import re
from importlib.util import find_spec

from ewms.core.errors import InputError

_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_SIZE = re.compile(
    r"\s*(?P<number>\d{1,12}(?:\.\d{1,6})?)\s*(?P<prefix>[KMGTP]?)(?:i?B|bytes?)?\s*", re.ASCII | re.IGNORECASE
)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[()\[\]{}]|&&|\|\||.', re.DOTALL)
_CLOSING = {")": "(", "]": "[", "}": "{"}
_MAX_LENGTH = 4000
_MAX_DEPTH = 50
MAX_BYTES = 1 << 60
"""Nobody has more."""


def binary_size(text: str | int) -> int:
    """Bytes behind `"512M"`, `"8 GB"` or `"1.5 GiB"`, in powers of 1024 whatever the spelling, as EWMS and HTCondor have it.

    Raises `InputError` for anything else, and for less than 1 MiB.
    """
    match = _SIZE.fullmatch(str(text))
    if match is None:
        raise InputError(f"{text!r:.80} is not a size; write for example 512M, 8 GB or a number of bytes")
    size = int(float(match["number"]) * 1024 ** _POWERS[match["prefix"].upper()])
    if not 1 << 20 <= size <= MAX_BYTES:
        raise InputError(f"{text!r:.80} is {size} bytes; ask for 1 MB at least and {MAX_BYTES >> 50} PB at most")
    return size


def check_requirements(expression: str) -> str:
    """A ClassAd expression as it was given; empty for none.

    HTCondor's own parser judges it where it is installed; elsewhere only quotes and brackets are checked.

    Raises `InputError` where no job could be submitted with it.
    """
    text = expression.strip()
    if not text:
        return ""
    if len(text) > _MAX_LENGTH or not text.isprintable():
        raise InputError(f"requirements {text!r:.80} must be one line of at most {_MAX_LENGTH} characters")
    problem = _imbalance(text) or (_parsers_complaint(text) if find_spec("classad2") else None)
    if problem:
        raise InputError(f"requirements {text!r:.200} are no ClassAd expression: {problem}")
    return text


def _imbalance(text: str) -> str | None:
    """What is wrong with quotes and brackets; deep nesting too, which would exhaust the parser's stack."""
    open_brackets: list[str] = []
    for part in _TOKEN.findall(text):
        if part in "([{":
            open_brackets.append(part)
        elif part in _CLOSING and (not open_brackets or open_brackets.pop() != _CLOSING[part]):
            return f"{part} closes nothing"
        elif part in {'"', "'"}:
            return f"a {part} is not closed"
        if len(open_brackets) > _MAX_DEPTH:
            return f"brackets are nested deeper than {_MAX_DEPTH} levels"
    return f"{open_brackets[-1]} is not closed" if open_brackets else None


def _parsers_complaint(text: str) -> str | None:
    import classad2

    try:
        classad2.ExprTree(text)
    except classad2.ClassAdException:
        return "HTCondor cannot parse it"
    return None

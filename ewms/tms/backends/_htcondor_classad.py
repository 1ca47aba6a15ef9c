"""Text of ours and of users inside submit descriptions: nothing of it is taken for anything but text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ewms.tms.backend import BackendRefused


def quoted(text: str) -> str:
    """A ClassAd string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def literal(text: str, what: str) -> str:
    """A value that HTCondor's submit language leaves as it is: its macros could read our environment.

    Raises `BackendRefused`, naming `what`, if it cannot be said in that language.
    """
    if any(ord(character) < ord(" ") for character in text):
        raise BackendRefused(f"{what} holds a line break or a control character; leave it out")
    if "$$" in text:
        raise BackendRefused(f"{what} holds '$$', which HTCondor would replace by something of the slot; leave it out")
    return text.replace("$", "$(DOLLAR)")


def conjunction(expressions: Iterable[str]) -> str:
    """All of them, without the empty ones; `true` for none."""
    return " && ".join(f"({expression})" for expression in expressions if expression.strip()) or "true"


def environment(variables: Mapping[str, str]) -> str:
    """The value of `environment`."""
    words = (f"{name}='{_doubled(text)}'" for name, text in sorted(variables.items()))
    return literal('"' + " ".join(words) + '"', "an environment variable")


def arguments(words: Iterable[str]) -> str:
    """The value of `arguments`."""
    return literal('"' + " ".join(f"'{_doubled(word)}'" for word in words) + '"', "an argument of the pilot")


def _doubled(text: str) -> str:
    return text.replace("'", "''").replace('"', '""')

"""Secrets in a configuration: named by reference, so that the file itself may be read by anybody. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, SecretStr, ValidationInfo

FILE = "file:"
"""A reference to a file's content."""
ENVIRONMENT = "env:"
"""A reference to an environment variable."""

Reader = Callable[[str], str]
"""Reads what a reference names; raises `ValueError` with the reason."""


def reader_context(read: Reader) -> dict[str, Any]:
    """The validation context under which references are read."""
    return {"read": read}


def is_reference(text: str) -> bool:
    """Whether a text names a secret and does not hold it."""
    return text.startswith((FILE, ENVIRONMENT))


def _by_reference(value: Any, info: ValidationInfo) -> Any:
    """The secret behind a reference; `ValueError` for a secret that is written out."""
    if not isinstance(value, str):
        return value
    if is_reference(value):
        return (info.context or {})["read"](value)
    raise ValueError("a secret is not written here; write file:/path/of/a/file or env:NAME of a variable")


def _url(value: Any, info: ValidationInfo) -> Any:
    """A URL, or one behind a reference; `ValueError` for one that shows a password."""
    if not isinstance(value, str):
        return value
    if is_reference(value):
        return (info.context or {})["read"](value)
    if "@" in value:
        raise ValueError("a URL with a password is not written here; write file:/path/of/a/file or env:NAME of a variable")
    return value


Secret = Annotated[SecretStr, BeforeValidator(_by_reference)]
SecretUrl = Annotated[SecretStr, BeforeValidator(_url)]

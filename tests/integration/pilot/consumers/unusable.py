"""Importable, and unusable each in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from decimal import Decimal

number = 3


class BadConstructor:
    def __init__(self) -> None:
        raise OSError("the model file is gone")

    def consume(self, body: Any) -> Any:
        return body


async def asynchronous(body: Any) -> Any:
    return body


def no_argument() -> None:
    return None


def two_arguments(first: Any, second: Any) -> Any:
    return first, second


def unresolvable(body: Decimal) -> str:
    return str(body)

"""Consumers as users write them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy
from pydantic import BaseModel

import ewms

Array = numpy.ndarray[Any, Any]


class Page(BaseModel):
    number: int
    text: str = ""


@dataclass
class Point:
    x: float
    y: float


def square(body: int) -> int:
    return body * body


def echo(body):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    return body


def nothing(body: object) -> None:
    return None


def is_event(event: ewms.Event) -> list[object]:
    return [event.id, event.body, event.headers]


def next_page(page: Page) -> Page:
    return Page(number=page.number + 1, text=page.text.upper())


def norm(point: Point) -> float:
    return point.x + point.y


def total(array: Array) -> float:
    return float(array.sum())


def doubled(array: Array) -> Array:
    return array * 2


def several(body: int) -> Iterator[int]:
    yield from range(body)


def routed(body: int) -> ewms.Output:
    return ewms.Output(body, queue="odd" if body % 2 else "even")


def routed_wrongly(body: int) -> ewms.Output:
    return ewms.Output(body, queue="typo")


def raises(body: object) -> None:
    sys.stdout.write("on stdout\n")
    sys.stderr.write("on stderr\n")
    raise ValueError("no\nluck")


def raises_on_odd(body: int) -> int:
    if body % 2:
        raise ValueError(f"{body} is odd")
    return body


def sleeps(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def span(seconds: float) -> list[float]:
    started = time.monotonic()
    time.sleep(seconds)
    return [started, time.monotonic()]


def big(size: int) -> str:
    return "x" * size


def many_big(size: int) -> Iterator[bytes]:
    for _ in range(8):
        yield b"y" * size


def unencodable(body: object) -> object:
    return object()


def flavour(variable: str) -> str | None:
    return os.environ.get(variable)


def size(body: str) -> int:
    return len(body)

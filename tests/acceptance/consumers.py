"""Consumers for the tests beside this file."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import ewms


def square(number: int) -> int:
    return number * number


def picky(number: int) -> int:
    if number == 2:
        raise ValueError("not two")
    return number


def count_to(number: int) -> Iterator[int]:
    yield from range(number)


def nothing(number: int) -> None:
    del number


def parabola(x: float) -> float:
    return x * x - 2.0


def array_sum(array: Any) -> float:
    return float(array.sum())


def array_double(array: Any) -> Any:
    return 2 * array


class Rectangle(BaseModel):
    width: float
    height: float


class Area(BaseModel):
    area: float


def area(rectangle: Rectangle) -> Area:
    return Area(area=rectangle.width * rectangle.height)


def mark_and_sleep(path: str | None) -> None:
    if path is not None:
        Path(path).write_text(str(os.getpid()))
        time.sleep(3600)


def wait_for_file(path: str | None) -> None:
    while path is not None and not Path(path).exists():
        time.sleep(0.01)


def from_context(word: str) -> str:
    return ewms.context("words.txt").read_text() + word


def attempt_at(event: ewms.Event) -> int:
    if event.attempt < event.body:
        raise ValueError("not yet")
    return event.attempt

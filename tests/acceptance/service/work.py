"""What the tests have done by pilots."""

from __future__ import annotations

import time
from collections.abc import Iterable

import ewms


def square(number: int) -> int:
    return number * number


def slow_square(number: int) -> int:
    time.sleep(0.2)
    return number * number


def sometimes(body: bytes) -> bytes:
    if body == b"bad":
        raise ValueError("bad")
    return body.upper()


class naps(ewms.Application[ewms.Event, ewms.Outcome, dict[str, int]]):
    """A hundred naps."""

    consumer = "tests.acceptance.service.work:nap"

    def start(self) -> Iterable[ewms.Event]:
        return (ewms.Event(id=str(number), body=number) for number in range(100))

    def assemble(self) -> dict[str, int]:
        return {"naps": 100}


def nap(number: int) -> int:
    time.sleep(0.3)
    return number

"""Consumers with state, and vectorised ones."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from itertools import count

import ewms

_built = count(1)


class Counter:
    """Tells how often it was built in this process, and how often it was called."""

    def __init__(self) -> None:
        self.built = next(_built)
        self.calls = 0

    def consume(self, body: object) -> list[int]:
        self.calls += 1
        return [os.getpid(), self.built, self.calls]


class Adder:
    """Called like a function."""

    def __call__(self, body: int) -> int:
        return body + 1


class Vectorised:
    """Batches are negative, so that a test sees which way an event went."""

    def consume(self, body: float) -> float:
        return body + 0.5

    def consume_many(self, bodies: list[float]) -> Sequence[float]:
        return [-(body + 0.5) for body in bodies]


class VectorisedOnly:
    """Has no other way; takes whole events."""

    def consume_many(self, events: list[ewms.Event]) -> list[str]:
        return [event.id for event in events]


class RaisingBatch(Vectorised):
    def consume_many(self, bodies: list[float]) -> Sequence[float]:
        raise RuntimeError("not in a batch")


class ShortBatch(Vectorised):
    def consume_many(self, bodies: list[float]) -> Sequence[float]:
        return [0.0]


class CrashingBatch(Vectorised):
    def consume_many(self, bodies: list[float]) -> Sequence[float]:
        os._exit(7)


class SlowBatch(Vectorised):
    def consume_many(self, bodies: list[float]) -> Sequence[float]:
        time.sleep(60)
        return bodies


class PoisonInBatch:
    """One body fails whichever way it comes."""

    def consume(self, body: int) -> int:
        if body == 2:
            raise ValueError("poison")
        return body

    def consume_many(self, bodies: list[int]) -> list[int]:
        return [self.consume(body) for body in bodies]

"""A pydantic model as body and as result."""

from __future__ import annotations

from pydantic import BaseModel


class Reading(BaseModel):
    """One value that a sensor gave."""

    sensor: str
    number: int
    value: float
    flags: list[str] = []


def same(reading: Reading) -> Reading:
    """No work but validation on the way in and encoding on the way out."""
    return reading

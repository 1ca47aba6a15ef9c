"""Pydantic models through a task that does nothing."""

from __future__ import annotations

from bench.readings import Reading
from bench.workloads.gated import Gated


class Models(Gated):
    """In bundles, as ewms chooses them."""

    name = "models"
    consumer = "bench.readings:same"

    def body(self, number: int) -> Reading:
        """One reading."""
        return Reading(sensor="IceTop-81", number=number, value=number / 7, flags=["good"])

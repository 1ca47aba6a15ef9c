"""Plain JSON integers through a task that does nothing, or next to nothing."""

from __future__ import annotations

from bench.workloads.gated import Gated
from ewms import TaskSpec


class Numbers(Gated):
    """In bundles, as ewms chooses them."""

    name = "numbers"
    consumer = "bench.tasks:same"


class Singles(Gated):
    """One event per message."""

    name = "singles"
    tasks = (TaskSpec(name="same", python="bench.tasks:same", input="numbers", output=("same",), bundle=1),)


class Naps(Gated):
    """Tasks of ten milliseconds."""

    name = "naps"
    consumer = "bench.tasks:nap"

"""A workflow's public queues: which people fill, which they read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ewms.brokers.base import Broker
from ewms.core.errors import SpecError
from ewms.core.graph import Graph


class PublicQueues:
    """Sorted by direction.

    Parameters
    ----------
    public
        The broker's names by those in the spec.

    Raises
    ------
    SpecError
        The graph has no such queue.
    """

    def __init__(self, graph: Graph, public: Mapping[str, str]) -> None:
        written = {queue for task in graph.tasks for queue in task.output}
        self.inputs = {queue: name for queue, name in public.items() if queue in graph.sources}
        """People fill them."""
        self.outputs = {queue: name for queue, name in public.items() if queue in written and queue not in self.inputs}
        """People read them."""
        for queue in public:
            if queue not in self.inputs and queue not in self.outputs:
                raise SpecError(f"public queue '{queue}' is neither an input of the workflow nor written by any task")

    async def declare(self, broker: Broker, lease: float) -> None:
        """Make them exist."""
        await asyncio.gather(*(broker.declare(name, lease) for name in (*self.inputs.values(), *self.outputs.values())))

    async def delete(self, broker: Broker, *, outputs: bool) -> None:
        """Remove those that people fill, and those that they read if nobody wants to read any more."""
        names = [*self.inputs.values(), *(self.outputs.values() if outputs else ())]
        await asyncio.gather(*(broker.delete(name) for name in names))

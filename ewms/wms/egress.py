"""Accepted outputs on their way to people outside: published after the commit that accepted them, in that order.

What was published is remembered by its order of acceptance. After a crash the last ones are published once more, under the
same message ids, by which a broker drops them, or else the reader can.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from ewms import blobs
from ewms.brokers.base import Broker
from ewms.core.codecs import REFERENCE_MARK
from ewms.core.graph import Graph
from ewms.core.plain import plain_body
from ewms.stores.base import EventRow
from ewms.wms.hosting import decode_outputs
from ewms.wms.ledger import Ledger

POSITION = "egress"
"""Name of the journal's value: the order of acceptance up to which everything is published."""
_AT_ONCE = 128
_FULL = 4096


class _Export(NamedTuple):
    order: int
    event_id: str
    task: int
    outputs: bytes


class Egress:
    """Publishes the outputs that go to public queues, each as a message of its own.

    Parameters
    ----------
    graph
        Tells which task writes which queue.
    queues
        The broker's names of the public output queues, by their names in the spec.
    """

    def __init__(self, graph: Graph, queues: Mapping[str, str]) -> None:
        self._queues = queues
        self._tasks = graph.tasks
        self._exporting = {number for number, task in enumerate(graph.tasks) if set(task.output) & set(queues)}
        self._accepted: list[_Export] = []
        self._committed: list[_Export] = []
        self._published = 0
        self._remembered = 0
        self._is_publishing = False
        self._filled = asyncio.Event()

    @property
    def is_idle(self) -> bool:
        """Everything accepted is published and remembered as such."""
        return not (self._accepted or self._committed or self._is_publishing or self._published > self._remembered)

    @property
    def is_full(self) -> bool:
        """So much waits that nothing more should be accepted for the moment."""
        return len(self._committed) > _FULL

    def restore(self, ledger: Ledger) -> None:
        """Take up what a former driver accepted and did not publish, and listen to the ledger; in the ledger's thread."""
        self._published = self._remembered = ledger.journal.value(POSITION, 0)
        self._committed = [
            _Export(terminal.order, terminal.event.id, terminal.event.task, terminal.outputs)
            for terminal in ledger.journal.terminals(sorted(self._exporting), after=self._published)
            if terminal.reason is None and terminal.outputs is not None
        ]
        ledger.on_accept = self._on_accept

    def remember(self, ledger: Ledger) -> None:
        """Have the ledger write how far publishing is; in the ledger's thread, before a commit."""
        if self._published > self._remembered:
            self._remembered = self._published
            ledger.remember(POSITION, self._remembered)

    def committed(self) -> None:
        """What was accepted is in the journal."""
        if self._accepted:
            self._committed += self._accepted
            self._accepted = []
            self._filled.set()

    async def run(self, broker: Broker, wake: Callable[[], object]) -> None:
        """Publish until cancelled; `wake` is called when there is something to commit."""
        while True:
            while self._committed:
                batch, self._committed = self._committed[:_AT_ONCE], self._committed[_AT_ONCE:]
                self._is_publishing = True
                await asyncio.gather(*(self._publish(broker, export) for export in batch))
                self._published, self._is_publishing = batch[-1].order, False
                wake()
            self._filled.clear()
            await self._filled.wait()

    def _on_accept(self, order: int, event: EventRow, outputs: bytes) -> None:
        if event.task in self._exporting:
            self._accepted.append(_Export(order, event.id, event.task, outputs))

    async def _publish(self, broker: Broker, export: _Export) -> None:
        task = self._tasks[export.task]
        for number, output in enumerate(decode_outputs(export.outputs)):
            queues = (output.queue,) if output.queue else task.output
            names = [self._queues[queue] for queue in queues if queue in self._queues]
            if names:
                # Only what is kept in a store takes time to load.
                is_kept = output.codec.startswith(REFERENCE_MARK)
                load = partial(blobs.load, output.codec, output.data)
                body = plain_body(await asyncio.to_thread(load) if is_kept else load())
                for name in names:
                    await broker.publish(name, body, f"{export.event_id}/{task.name}/{number}")

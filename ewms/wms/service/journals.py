"""A workflow's journal for reading, beside the driver host that writes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from ewms.core.errors import InputError
from ewms.core.graph import Graph, build_graph
from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.base import Journal
from ewms.wms.pilots import blobs_of
from ewms.wms.routing import Router
from ewms.wms.service.bodies import Bodies
from ewms.wms.service.state import ServiceState

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A journal and what its numbers mean. Synchronous: for threads, one at a time."""

    journal: Journal
    """Read only."""
    graph: Graph
    """Of the workflow."""
    bodies: Bodies
    """Reads bodies."""

    @property
    def names(self) -> list[str]:
        """Of the tasks, by index."""
        return [task.name for task in self.graph.tasks]

    @property
    def ends(self) -> list[int]:
        """Indices of the tasks whose results are the product."""
        return [number for number, is_end in enumerate(Router(self.graph).ends) if is_end]

    def task(self, name: str) -> int:
        """The index of a task; `InputError` if there is none of that name."""
        names = self.names
        if name not in names:
            raise InputError(f"there is no task {name!r:.80}; tasks are {', '.join(names)}")
        return names.index(name)


@asynccontextmanager
async def reading(state: ServiceState, workflow: WorkflowDocument) -> AsyncIterator[Reading | None]:
    """The journal of a workflow; None where no driver host has begun one."""
    if not workflow.driver.epoch or not workflow.spec.tasks:
        yield None
        return
    journal = await asyncio.to_thread(state.store.journal, workflow.workflow_id, writer=False)
    try:
        place = blobs_of(state.configuration.blobs_url, workflow.workflow_id)
        yield Reading(journal=journal, graph=build_graph(workflow.spec), bodies=Bodies(place))
    finally:
        await asyncio.to_thread(journal.close)


async def look_into(state: ServiceState, workflow: WorkflowDocument, look: Callable[[Reading], T], nothing: T) -> T:
    """What a function finds in a workflow's journal, in a thread of its own; `nothing` where there is none yet."""
    async with reading(state, workflow) as found:
        return nothing if found is None else await asyncio.to_thread(look, found)


async def in_parts(items: Iterator[T], size: int) -> AsyncIterator[list[T]]:
    """What a lazy reader gives, in lists of at most so many, each read in a thread."""

    def part() -> list[T]:
        return [item for _, item in zip(range(size), items, strict=False)]

    while found := await asyncio.to_thread(part):
        yield found

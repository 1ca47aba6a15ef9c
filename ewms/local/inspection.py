"""Reads a run directory beside its driver, or without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from ewms.core.graph import Graph, build_graph
from ewms.core.spec import parse_spec
from ewms.local.directory import RunDirectory
from ewms.local.progress import TaskProgress
from ewms.stores.base import Journal
from ewms.stores.sqlite import SqliteJournal
from ewms.wms import failures
from ewms.wms.counters import Counters
from ewms.wms.failures import FailureCluster


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Where a workflow stands."""

    workflow_id: str
    """Its id."""
    name: str
    """Its name."""
    state: str
    """`running`, `complete`, `failed`, `cancelled` or `interrupted`; the last also for a driver that was killed."""
    reason: str
    """Why it failed."""
    events: dict[str, int]
    """As in `summary.json`."""
    tasks: list[TaskProgress]
    """In the order of the graph."""
    all_known: bool
    """Whether the source is exhausted."""


@contextmanager
def reading(directory: RunDirectory) -> Iterator[tuple[Journal, Graph]]:
    """The journal for reading, and the workflow's graph."""
    with SqliteJournal(directory.require_workflow().journal, writer=False) as journal:
        yield journal, graph_of(journal, directory)


def graph_of(journal: Journal, directory: RunDirectory) -> Graph:
    """The graph that a journal's task numbers mean."""
    return build_graph(parse_spec(journal.value("spec"), str(directory.path)))


def read_status(directory: RunDirectory) -> Status:
    """The status of the workflow in a directory; `StoreError` if there is none."""
    with reading(directory) as (journal, graph):
        state = journal.value("state", "running")
        if state == "running" and not directory.is_driven:
            state = "interrupted"
        planned, done = journal.counts_by_task(len(graph.tasks))
        counters = Counters.from_dict(journal.value("counters", {}))
        return Status(
            workflow_id=journal.value("workflow_id"),
            name=journal.value("name"),
            state=state,
            reason=journal.value("reason", ""),
            events=counters.as_dict(),
            tasks=[
                TaskProgress(name=task.name, planned=known, done=finished)
                for task, known, finished in zip(graph.tasks, planned, done, strict=True)
            ],
            all_known=journal.value("source_done", False),
        )


def failure_clusters(directory: RunDirectory) -> list[FailureCluster]:
    """See `ewms.wms.failures.failure_clusters`."""
    with reading(directory) as (journal, graph):
        return failures.failure_clusters(journal, [task.name for task in graph.tasks])

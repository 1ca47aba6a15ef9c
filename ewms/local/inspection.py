"""Reads a run directory beside its driver, or without one."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from ewms.core.event import Attempt
from ewms.core.graph import Graph, build_graph
from ewms.core.spec import parse_spec
from ewms.local.directory import RunDirectory
from ewms.local.progress import TaskProgress
from ewms.stores.base import Journal
from ewms.stores.sqlite import SqliteJournal
from ewms.wms.counters import Counters

_NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_EXAMPLES = 5


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


class FailureCluster(msgspec.Struct, frozen=True, kw_only=True):
    """Unsuccessful attempts with one cause."""

    task: str
    """The task."""
    kind: str
    """`failed` or `vanished`."""
    cause: str
    """The reason, with numbers and quoted parts masked."""
    attempts: int
    """How many attempts ended so."""
    events: int
    """How many events are concerned."""
    dead: int
    """How many of those are dead letters."""
    hosts: dict[str, int]
    """Attempts by host."""
    example: Attempt
    """The latest of them, in full."""
    ids: list[str]
    """Some of the events' ids."""


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
    """Why events failed, the most frequent cause first; attempts that were only returned are not among them."""
    with reading(directory) as (journal, graph):
        dead = {(letter.event.task, letter.event.id) for letter in journal.letters()}
        found: dict[tuple[int, str, str], list[tuple[str, Attempt]]] = defaultdict(list)
        for task, event_id, attempt in journal.attempts():
            if attempt.kind != "returned":
                found[task, attempt.kind, mask(attempt.reason)].append((event_id, attempt))
        clusters = [
            _cluster(graph.tasks[task].name, kind, cause, members, {event_id for number, event_id in dead if number == task})
            for (task, kind, cause), members in found.items()
        ]
    return sorted(clusters, key=lambda cluster: (-cluster.attempts, cluster.task, cluster.cause))


def mask(reason: str) -> str:
    """A reason without what differs from event to event: quoted parts and numbers."""
    return _NUMBERS.sub("#", _QUOTED.sub("'…'", reason))


def _cluster(task: str, kind: str, cause: str, members: list[tuple[str, Attempt]], dead: set[str]) -> FailureCluster:
    ids = list(dict.fromkeys(event_id for event_id, _ in members))
    return FailureCluster(
        task=task,
        kind=kind,
        cause=cause,
        attempts=len(members),
        events=len(ids),
        dead=len(dead.intersection(ids)),
        hosts=dict(Counter(attempt.host for _, attempt in members)),
        example=members[-1][1],
        ids=ids[:_EXAMPLES],
    )

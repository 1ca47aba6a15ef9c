"""Why events failed: unsuccessful attempts, put together by their cause."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec

from ewms.core.event import Attempt
from ewms.stores.base import Journal

_NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_EXAMPLES = 5


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


class _Found:
    """What is kept of the attempts with one cause while all are read."""

    def __init__(self) -> None:
        self.attempts = 0
        self.hosts: Counter[str] = Counter()
        self.ids: dict[str, None] = {}
        self.example: Attempt | None = None

    def add(self, event_id: str, attempt: Attempt) -> None:
        self.attempts += 1
        self.hosts[attempt.host] += 1
        self.ids[event_id] = None
        self.example = attempt


def failure_clusters(journal: Journal, tasks: Sequence[str]) -> list[FailureCluster]:
    """Why events failed, the most frequent cause first; attempts that were only returned are not among them.

    Parameters
    ----------
    tasks
        Names, in the order of the graph.
    """
    dead = {(letter.event.task, letter.event.id) for letter in journal.letters()}
    found: defaultdict[tuple[int, str, str], _Found] = defaultdict(_Found)
    for task, event_id, attempt in journal.attempts():
        if attempt.kind != "returned":
            found[task, attempt.kind, mask(attempt.reason)].add(event_id, attempt)
    clusters = [
        FailureCluster(
            task=tasks[task],
            kind=kind,
            cause=cause,
            attempts=one.attempts,
            events=len(one.ids),
            dead=sum((task, event_id) in dead for event_id in one.ids),
            hosts=dict(one.hosts),
            example=one.example,
            ids=list(one.ids)[:_EXAMPLES],
        )
        for (task, kind, cause), one in found.items()
        if one.example is not None
    ]
    return sorted(clusters, key=lambda cluster: (-cluster.attempts, cluster.task, cluster.cause))


def mask(reason: str) -> str:
    """A reason without what differs from event to event: quoted parts and numbers."""
    return _NUMBERS.sub("#", _QUOTED.sub("'…'", reason))

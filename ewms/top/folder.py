"""A run directory as a source: its journal is read beside the driver, or without one. Nothing can be asked of it."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from ewms.core.errors import UsageError
from ewms.local.directory import RunDirectory
from ewms.local.inspection import Status, failure_clusters, read_status, reading
from ewms.local.queues import inspect_queues, queues_of
from ewms.top import tables
from ewms.top.source import Action, News, Page, Row, Section, Table, Wanted
from ewms.wms.letters import letter_json, letters

_LOOK_SECONDS = 1.0
_SPAN_SECONDS = 30.0
_LETTERS = 200


class FolderSource:
    """See `ewms.top.source.Source`; it has one workflow.

    Parameters
    ----------
    path
        The run directory; `StoreError` if it is none.
    """

    def __init__(self, path: Path) -> None:
        self._directory = RunDirectory(path).require_workflow()
        self._closed = threading.Event()
        self._seen: deque[tuple[float, dict[str, int]]] = deque()
        self.where = str(path)

    def workflows(self, wanted: Wanted) -> Page:
        """The one that there is, where it is wanted."""
        row = self._row(self._status())
        text = wanted.text.casefold()
        fits = text in row.name.casefold() or text in row.workflow_id.casefold()
        rows = [row] if fits and (not wanted.states or row.state in wanted.states) else []
        return Page(rows=rows, total=len(rows))

    def workflow(self, workflow_id: str) -> Row:
        """The one that there is."""
        return self._row(self._status())

    def section(self, workflow_id: str, section: Section) -> Table:
        """A part of what there is to know of it."""
        match section:
            case Section.TASKS:
                found = self._status().tasks
                items = [{"name": one.name, "planned": one.planned, "terminal": one.done} for one in found]
                return tables.tasks(items, self._rates())
            case Section.QUEUES:
                return self._queues()
            case Section.FAILURES:
                return tables.failures(failure_clusters(self._directory))
            case Section.LETTERS:
                return self._letters()
            case _:
                note = "not kept of a run on this machine; its log and summary.json tell"
                return Table(columns=tables.columns(str(section)), rows={}, note=note)

    def system(self) -> Mapping[str, Table]:
        """Nothing but what is here."""
        note = f"{self.where} is a run of its own; a service has clusters and health"
        return {"System": Table(columns=tables.columns("part"), rows={}, note=note)}

    def act(self, workflow_id: str, action: Action) -> NoReturn:
        """`UsageError`: a run belongs to the command that runs it."""
        raise UsageError(f"end the run with Ctrl-C where it runs; go on with: ewms resume {self.where}")

    def replay(self, workflow_id: str, event_ids: Sequence[str], task: str | None) -> NoReturn:
        """`UsageError`: a run belongs to the command that runs it."""
        raise UsageError(f"try dead letters again with: ewms dead-letters replay {self.where}")

    def news(self) -> Iterator[News]:
        """How it is, whenever that has changed."""
        shown: Row | None = None
        while not self._closed.wait(_LOOK_SECONDS):
            row = self.workflow("")
            if row != shown:
                yield News(row=row)
            shown = row

    def close(self) -> None:
        """End `news`."""
        self._closed.set()

    def _status(self) -> Status:
        found = read_status(self._directory)
        now = time.monotonic()
        self._seen.append((now, {task.name: task.done for task in found.tasks}))
        while len(self._seen) > 2 and self._seen[1][0] < now - _SPAN_SECONDS:
            self._seen.popleft()
        return found

    def _rates(self) -> dict[str, float]:
        """Events per second by task, from what was seen; nothing before it was seen twice."""
        (began, before), (ended, after) = self._seen[0], self._seen[-1]
        if ended - began < _LOOK_SECONDS / 2:
            return {}
        return {name: max(0, done - before.get(name, 0)) / (ended - began) for name, done in after.items()}

    def _row(self, found: Status) -> Row:
        rates = self._rates()
        return Row(
            workflow_id=found.workflow_id,
            name=found.name,
            owner="",
            state=found.state,
            reason=found.reason,
            priority=0,
            planned=sum(task.planned for task in found.tasks),
            terminal=sum(task.done for task in found.tasks),
            retried=found.events.get("retried", 0),
            dead=found.events.get("dead_lettered", 0),
            rate=sum(rates.values()) if rates else None,
        )

    def _queues(self) -> Table:
        url, names = queues_of(self._directory)
        found = asyncio.run(inspect_queues(url, names))
        titles = ("work", "reports")
        return tables.queues(
            {"name": title, "kind": "channel", "rate": None, **msgspec.structs.asdict(one.found)}
            for title, one in zip(titles, found, strict=True)
        )

    def _letters(self) -> Table:
        with reading(self._directory) as (journal, graph):
            _, _, total = journal.counts()
            found = itertools.islice(letters(journal, [task.name for task in graph.tasks]), _LETTERS)
            return tables.letters([json.loads(letter_json(letter)) for letter in found], total)

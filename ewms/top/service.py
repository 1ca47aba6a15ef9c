"""A shared service as a source: its REST interface and its server-sent events."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from ewms.client.changes import Changes
from ewms.client.connection import Connection, ServiceUnavailable
from ewms.client.remote_workflow import RemoteWorkflow
from ewms.core.errors import UsageError
from ewms.top import tables
from ewms.top.source import Action, News, Page, Row, Section, Table, Wanted

_PAGE = 500
_LETTERS = 200


class ServiceSource:
    """See `ewms.top.source.Source`.

    Parameters
    ----------
    connection
        With no patience: who looks on is to see at once that the service is away. Closed by `close`.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changes = Changes(connection)
        self.where = connection.url

    def workflows(self, wanted: Wanted) -> Page:
        """Workflows that the caller may see."""
        rows: list[Row] = []
        after: str | None = None
        while True:
            page = self._connection.get(
                "/api/workflows",
                text=wanted.text or None,
                state=list(wanted.states) or None,
                limit=min(_PAGE, wanted.limit - len(rows)),
                after=after,
            )
            with self._understood():
                rows += [_row(item) for item in page["items"]]
                after, total = page["after"], int(page["total"])
            if after is None or len(rows) >= wanted.limit:
                return Page(rows=rows, total=total)

    def workflow(self, workflow_id: str) -> Row:
        """One of them."""
        answer = self._connection.get(f"/api/workflows/{workflow_id}")
        with self._understood():
            return _row(answer)

    def section(self, workflow_id: str, section: Section) -> Table:
        """A part of what there is to know of one."""
        path = f"/api/workflows/{workflow_id}"
        with self._understood():
            match section:
                case Section.TASKS:
                    return self._tasks(path)
                case Section.QUEUES:
                    return tables.queues(self._items(f"{path}/queues"))
                case Section.PILOTS:
                    return tables.pilots(self._items(f"{path}/workers"))
                case Section.FAILURES:
                    return tables.failures(tables.clusters_of(self._items(f"{path}/failures")))
                case Section.LETTERS:
                    return self._letters(path)
                case Section.PHASES:
                    return tables.phases(self._items(f"{path}/phases"))

    def system(self) -> Mapping[str, Table]:
        """What the workflows run on, by title."""
        # A service that is not ready says with 503 what is wrong; a proxy before it says 503 in other words.
        answer = self._connection.send("GET", "/readyz", also={HTTPStatus.SERVICE_UNAVAILABLE})
        found = self._connection.json(answer)
        if "ready" not in found:
            raise ServiceUnavailable(f"{self.where} is not ready; try again later")
        with self._understood():
            return {
                "Health": tables.health(found),
                "Clusters": tables.clusters(self._items("/api/clusters")),
                "Sites": tables.sites(self._items("/api/sites")),
            }

    def act(self, workflow_id: str, action: Action) -> None:
        """Ask something of a workflow."""
        workflow = RemoteWorkflow(self._connection, workflow_id)
        {Action.CANCEL: workflow.cancel, Action.PAUSE: workflow.pause, Action.RESUME: workflow.resume}[action]()

    def replay(self, workflow_id: str, event_ids: Sequence[str], task: str | None) -> int:
        """Try dead letters again, all where none is named; how many they are."""
        return RemoteWorkflow(self._connection, workflow_id).replay(event_ids, task)

    def news(self) -> Iterator[News]:
        """What changes, as it does; see `ewms.client.changes`."""
        for change in self._changes.listen():
            with self._understood():
                yield News(row=None if change.workflow is None else _row(change.workflow))

    def close(self) -> None:
        """End `news`, and drop all connections."""
        self._changes.close()
        self._connection.close()

    def _tasks(self, path: str) -> Table:
        rates = {item["name"]: item["rate"] for item in self._items(f"{path}/queues") if item["kind"] == "task"}
        items = self._items(f"{path}/tasks")
        by_queue = {item["name"]: rates.get(item["input"]) for item in items}
        return tables.tasks(items, {name: rate for name, rate in by_queue.items() if rate is not None})

    def _letters(self, path: str) -> Table:
        page = self._connection.get(f"{path}/dead-letters", limit=_LETTERS)
        return tables.letters(page["items"], page["total"])

    def _items(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._connection.get(path)["items"]
        return items

    @contextlib.contextmanager
    def _understood(self) -> Iterator[None]:
        """Answers of another version, or of something that is no ewms service, are an error in words."""
        try:
            yield
        except (KeyError, TypeError, AttributeError, msgspec.ValidationError) as error:
            raise UsageError(f"{self.where} answers in another way than this version knows: {error!r}") from error


def _row(item: Mapping[str, Any]) -> Row:
    tasks = list(item["tasks"].values())
    rates = item.get("rates") or {}
    return Row(
        workflow_id=item["workflow_id"],
        name=item["name"],
        owner=item["owner"],
        state=item["state"],
        reason=item["reason"],
        priority=item["priority"],
        planned=sum(task["planned"] for task in tasks),
        terminal=sum(task["terminal"] for task in tasks),
        retried=item["counts"].get("retried", 0),
        dead=item["counts"].get("dead_lettered", 0),
        rate=sum(rates.values()) if rates else None,
    )

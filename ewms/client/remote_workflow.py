"""One workflow at a service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ewms.client import outcomes
from ewms.client.connection import Connection
from ewms.client.follow import follow
from ewms.client.outcomes import Ended
from ewms.client.status import WorkflowStatus, status_of
from ewms.core.errors import InputError, WorkflowCancelled, WorkflowFailed
from ewms.core.service.files import PRODUCT
from ewms.core.service.phases import WorkflowState

_CHUNK = 1 << 20


class RemoteWorkflow:
    """A workflow, by its id. Every method raises what `Connection.send` raises.

    Parameters
    ----------
    connection
        To its service; must stay open.
    workflow_id
        `WF-…`.
    """

    def __init__(self, connection: Connection, workflow_id: str) -> None:
        self._connection = connection
        self._path = f"/api/workflows/{workflow_id}"
        self.id = workflow_id

    def __repr__(self) -> str:
        return f"<workflow {self.id} at {self._connection.url}>"

    def status(self) -> WorkflowStatus:
        """How it stands."""
        return status_of(self._connection.get(self._path))

    def follow(self) -> Iterator[WorkflowStatus]:
        """How it stands, now and after every change, until it has ended."""
        return follow(self._connection, self.id)

    def wait(self) -> WorkflowStatus:
        """Its status when it is complete; raises `WorkflowFailed` or `WorkflowCancelled` for another end."""
        status = list(self.follow())[-1]
        check_ended(status, self._connection.url)
        return status

    def cancel(self) -> WorkflowStatus:
        """Give it up for good."""
        return self._act("cancel")

    def pause(self) -> WorkflowStatus:
        """Send no more events until it is resumed."""
        return self._act("pause")

    def resume(self) -> WorkflowStatus:
        """Go on, after a pause or a failure."""
        return self._act("resume")

    def finish(self) -> WorkflowStatus:
        """Take no more events from outside; it is complete when those that it has are done."""
        return self._act("finish")

    def outcomes(self, after: int = 0, *, wait: bool = True) -> Iterator[Ended]:
        """What became of its events: see `ewms.client.outcomes.outcomes`."""
        return outcomes.outcomes(self._connection, self.id, after, wait=wait)

    def failures(self) -> list[dict[str, Any]]:
        """Why events failed, grouped by cause, as `ewms why --json` shows it."""
        answer = self._connection.get(f"{self._path}/failures")
        found: list[dict[str, Any]] = answer["items"] if isinstance(answer, dict) else answer
        return found

    def dead_letters(self) -> Iterator[dict[str, Any]]:
        """Events that were given up on, with their history."""
        return self._listing("dead-letters")

    def replay(self, event_ids: Sequence[str] = (), task: str | None = None) -> int:
        """Try dead letters again, all where none is named; how many they are."""
        body = {"task": task, "event_ids": list(event_ids)}
        return int(self._connection.post(f"{self._path}/dead-letters/replay", body)["letters"])

    def logs(self, event_id: str | None = None, task: str | None = None) -> Iterator[dict[str, Any]]:
        """What unsuccessful attempts left: reason, traceback, ends of stdout and stderr."""
        return self._listing("logs", event=event_id, task=task)

    def workers(self) -> list[dict[str, Any]]:
        """Its taskforces, with their phases and workers."""
        return list(self._listing("workers"))

    def send(self, events: Sequence[dict[str, Any]], queue: str | None = None) -> None:
        """Give it events as the service takes them; returns when they are safe with the broker."""
        self._connection.post(f"{self._path}/events", {"events": list(events), **({"queue": queue} if queue else {})})

    def download(self, folder: Path) -> None:
        """Fetch product, dead letters and summary, laid out as `ewms run` leaves them."""
        files = self.status().files
        for name in sorted(files):
            if name.startswith(PRODUCT) or "/" not in name:
                self._fetch(name, folder)

    def summary(self) -> dict[str, Any]:
        """What `summary.json` holds."""
        answer: dict[str, Any] = json.loads(self._connection.send("GET", f"{self._path}/files/summary.json").content)
        return answer

    def _fetch(self, name: str, folder: Path) -> None:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise InputError(f"file '{name}' of {self.id} would be written outside {folder}; fetch it by hand")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.partial")
        try:
            with self._connection.open("GET", f"{self._path}/files/{name}") as answer, draft.open("wb") as stream:
                for chunk in answer.iter_bytes(_CHUNK):
                    stream.write(chunk)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def _act(self, action: str) -> WorkflowStatus:
        return status_of(self._connection.post(f"{self._path}/actions/{action}"))

    def _listing(self, what: str, **query: Any) -> Iterator[dict[str, Any]]:
        after = None
        while True:
            page = self._connection.get(f"{self._path}/{what}", after=after, **query)
            yield from page["items"]
            after = page.get("after")
            if after is None:
                return


def check_ended(status: WorkflowStatus, url: str) -> None:
    """Raise `WorkflowFailed` or `WorkflowCancelled` with the reason and what to do, unless it is complete."""
    if status.state is WorkflowState.CANCELLED:
        raise WorkflowCancelled(f"{status.workflow_id} was cancelled")
    if status.state is not WorkflowState.COMPLETE:
        raise WorkflowFailed(
            f"{status.workflow_id} {status.state}: {status.reason or 'no reason given'}; "
            f"see: ewms why {status.workflow_id} --server {url}"
        )

"""A workflow's document as the host that drives it writes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ewms.core.errors import Conflict, StaleEpoch
from ewms.core.service.files import PARTIAL
from ewms.core.service.phases import WorkflowState
from ewms.core.service.workflow import DriverClaim, ReplayRequest, WorkflowDocument
from ewms.stores.collections import WORKFLOWS
from ewms.stores.store import Change, Replace, Store, Stored
from ewms.wms.files import Content
from ewms.wms.news import News
from ewms.wms.states import told

Edit = Callable[[WorkflowDocument], dict[str, Any]]


class Record:
    """Writes are on condition that the workflow is still this host's.

    Parameters
    ----------
    stored
        The document, claimed by this host.
    """

    def __init__(self, store: Store, news: News, stored: Stored) -> None:
        self._store = store
        self._news = news
        self._stored = stored
        self.document = WorkflowDocument.model_validate(stored.body)
        self.on_news: Callable[[], object] = _nobody
        """Called when a write met what somebody else had written: `saw` does not tell of that any more."""
        self._claim = self.document.driver
        self._writing = asyncio.Lock()

    @property
    def workflow_id(self) -> str:
        """Which workflow."""
        return self._stored.key

    def saw(self, stored: Stored) -> bool:
        """Take in the document as it was read just now; whether it is news. `StaleEpoch` if somebody else has it."""
        if stored.version <= self._stored.version:
            return False
        document = WorkflowDocument.model_validate(stored.body)
        if document.driver != self._claim:
            raise StaleEpoch(f"workflow {stored.key} was taken over by driver host {document.driver.host or 'nobody'}")
        self._stored, self.document = stored, document
        return True

    async def refresh(self) -> bool:
        """Read the document again; as `saw`."""
        stored = await self._store.get(WORKFLOWS, self.workflow_id)
        if stored is None:
            raise StaleEpoch(f"workflow {self.workflow_id} is gone from the store")
        return self.saw(stored)

    async def change(self, edit: Edit, *others: Change) -> None:
        """Change what `edit` returns, given the document as it stands, together with other documents.

        Raises `StaleEpoch` if the workflow is not this host's any more.
        """
        async with self._writing:
            await self._change(edit, others)

    async def _change(self, edit: Edit, others: Sequence[Change]) -> None:
        while True:
            document = self.document.model_copy(update=edit(self.document))
            body = document.model_dump(mode="json")
            version = self._stored.version
            replace = Replace(collection=WORKFLOWS, key=self.workflow_id, version=version, body=body)
            try:
                await self._store.write(replace, *told(self.document, document, time.time()), *others)
            except Conflict:
                if await self.refresh():
                    self.on_news()
                elif self._stored.version == version:
                    raise  # it was another document
                continue  # or it was seen while it was being written
            self._stored, self.document = Stored(self.workflow_id, version + 1, body), document
            self._claim = document.driver
            await self._news.publish(WORKFLOWS, self.workflow_id)
            return

    async def update(self, *others: Change, **fields: Any) -> None:
        """As `change`, for values that do not depend on the document."""
        await self.change(lambda _: fields, *others)

    async def carried_out(self, requests: Collection[ReplayRequest]) -> None:
        """These requests for replay are done with; others may have come meanwhile."""
        await self.change(lambda document: {"replay": tuple(item for item in document.replay if item not in requests)})

    async def add_files(self, digests: Mapping[str, str], *others: Change) -> None:
        """Name files as the workflow's, by their sha256."""
        await self.change(lambda document: {"files": {**document.files, **digests}}, *others)

    async def show(self, contents: Mapping[str, Content], note: str, *others: Change) -> None:
        """Name the files of a partial product, in place of the last one's, and what the application says."""

        def edit(document: WorkflowDocument) -> dict[str, Any]:
            digests = {name: content.sha256 for name, content in contents.items()}
            return {
                "files": _without_partial(document) | digests,
                "partial": tuple(contents),
                "partial_number": document.partial_number + 1,
                "note": note,
            }

        await self.change(edit, *others)

    async def release(self, *others: Change, files: Mapping[str, str] | None = None, **fields: Any) -> None:
        """Have the workflow no more: as `update`, with files that it is left.

        A `partial` among the fields, which is to be empty, takes the partial product's files away. A request for replay
        that came at the last moment has another host take the workflow up.
        """

        def edit(document: WorkflowDocument) -> dict[str, Any]:
            free = DriverClaim(epoch=document.driver.epoch)
            kept = _without_partial(document) if "partial" in fields else document.files
            again = {"state": WorkflowState.PENDING, "reason": ""} if document.replay and _is_complete(fields) else {}
            return {"driver": free, "files": {**kept, **(files or {})}, **fields, **again}

        await self.change(edit, *others)


def _nobody() -> None:
    """Nobody wants to know."""


def _is_complete(fields: Mapping[str, Any]) -> bool:
    return fields.get("state") is WorkflowState.COMPLETE


def _without_partial(document: WorkflowDocument) -> dict[str, str]:
    return {name: digest for name, digest in document.files.items() if not name.startswith(PARTIAL)}

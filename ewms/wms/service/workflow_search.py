"""Searching workflows by what people remember of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ewms.core.errors import InputError
from ewms.core.query import Query
from ewms.core.service.phases import WorkflowState
from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.collections import WORKFLOWS
from ewms.stores.store import Store, Stored
from ewms.wms.access.caller import Caller
from ewms.wms.service.listing import Listing
from ewms.wms.service.permission import restricted

_NEWEST_FIRST = (("timestamp", True),)
_PAGE = 500


@dataclass(frozen=True, kw_only=True)
class WorkflowSearch:
    """What is looked for; all of it must hold."""

    states: Sequence[WorkflowState] = ()
    """Any of these; none means any at all."""
    owner: str | None = None
    """Whose."""
    labels: Mapping[str, str]
    """With these values."""
    text: str | None = None
    """Part of the name or id, in any case of letters."""

    async def page(self, store: Store, caller: Caller, after: str | None, limit: int) -> Listing[WorkflowDocument]:
        """The newest of those that the caller may see, or the page after another one."""
        query = restricted(Query.parse(self._filter()), caller)
        if self.text:
            return await self._page_by_text(store, query, after, limit)
        page = await store.find(WORKFLOWS, query, order=_NEWEST_FIRST, after=after, limit=limit)
        total = await store.count(WORKFLOWS, query)
        return Listing(items=_documents(page.items), after=page.after, total=total)

    def _filter(self) -> dict[str, object]:
        filter_: dict[str, object] = {f"labels.{name}": value for name, value in self.labels.items()}
        if self.states:
            filter_["state"] = {"$in": [state.value for state in self.states]}
        if self.owner is not None:
            filter_["owner"] = self.owner
        return filter_

    async def _page_by_text(self, store: Store, query: Query, after: str | None, limit: int) -> Listing[WorkflowDocument]:
        """No store has an index for this, so all candidates are looked through; the page begins behind a workflow's id."""
        found: list[Stored] = []
        cursor: str | None = None
        while True:
            page = await store.find(WORKFLOWS, query, order=_NEWEST_FIRST, after=cursor, limit=_PAGE)
            found += self._matching(page.items)
            if (cursor := page.after) is None:
                break
        keys = [stored.key for stored in found]
        if after is not None and after not in keys:
            raise InputError("after: no page of this listing ended there; begin anew")
        start = 0 if after is None else keys.index(after) + 1
        items = found[start : start + limit]
        is_last = start + limit >= len(found)
        return Listing(items=_documents(items), after=None if is_last else items[-1].key, total=len(found))

    def _matching(self, stored: Sequence[Stored]) -> Iterator[Stored]:
        text = (self.text or "").casefold()
        for one in stored:
            if text in one.key.casefold() or text in str(one.body["name"]).casefold():
                yield one


def _documents(stored: Sequence[Stored]) -> list[WorkflowDocument]:
    return [WorkflowDocument.model_validate(one.body) for one in stored]


def parse_labels(pairs: Sequence[str]) -> dict[str, str]:
    """Labels from `name=value`; `InputError` for anything else."""
    labels = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator or not name or any(character in name for character in '."$\\') or not name.isprintable():
            raise InputError(f"label {pair!r:.100} is not of the form name=value")
        labels[name] = value
    return labels

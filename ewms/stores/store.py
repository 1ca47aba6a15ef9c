"""The contract of a service's store: documents, phase logs, counters and journals of many workflows.

`tests/contract/test_store.py` runs over every store. Two processes may use one store at the same time; whatever must not be
lost between them is a condition of a write, never a read followed by a hope.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Self

from ewms.core.query import Query
from ewms.stores.base import Journal

Document = dict[str, Any]
"""JSON values only: finite numbers of 64 bits, and texts without NUL, numbers or null under the keys of
`INDEXES`; 12 MiB at most."""


class Stored(NamedTuple):
    """A document as it stood when it was read."""

    key: str
    """Unique in its collection."""
    version: int
    """From 1, growing with every change: the condition of `Replace`."""
    body: Document
    """What was written."""


class Page(NamedTuple):
    """A part of a listing."""

    items: list[Stored]
    """In the order that was asked for."""
    after: str | None
    """Where the next page begins; None if this is the last one."""


class Kept(NamedTuple):
    """What there is beside documents, by key and in its order."""

    logs: list[str]
    """Logs with an entry."""
    counters: list[str]
    """Owners of counters."""
    journals: list[str]
    """Workflows with a journal."""


@dataclass(frozen=True, kw_only=True)
class Insert:
    """A new document; the write is refused if its key is taken."""

    collection: str
    """One of `ewms.stores.collections`."""
    key: str
    """Its key."""
    body: Document
    """Its content."""


@dataclass(frozen=True, kw_only=True)
class Replace:
    """New content for a document; the write is refused unless the document still has the version that was read."""

    collection: str
    """One of `ewms.stores.collections`."""
    key: str
    """Its key."""
    version: int
    """As it was read."""
    body: Document
    """The whole new content."""


@dataclass(frozen=True, kw_only=True)
class Delete:
    """A document that is to be gone; one that is gone already is no error."""

    collection: str
    """One of `ewms.stores.collections`."""
    key: str
    """Its key."""


@dataclass(frozen=True, kw_only=True)
class Append:
    """An entry at the end of a log. Logs only grow, and end with `Forget`."""

    log: str
    """Name of the log: the key of what it is about."""
    entry: Document
    """What happened."""


@dataclass(frozen=True, kw_only=True)
class Add:
    """Amounts added to named counters of one owner."""

    owner: str
    """Key of what they count for."""
    amounts: Mapping[str, int]
    """By name; may be negative."""


@dataclass(frozen=True, kw_only=True)
class Forget:
    """Everything that is kept under a key beside its document: logs, counters, journal."""

    key: str
    """Whose."""


Change = Insert | Replace | Delete | Append | Add | Forget


def refusal(change: Insert | Replace) -> str:
    """Why a change was refused: the message of `Conflict`."""
    if isinstance(change, Insert):
        return f"{change.collection} {change.key} exists already"
    return f"{change.collection} {change.key} is not as it was at version {change.version}; read it again"


class Store(ABC):
    """A connection to one store; an asynchronous context manager.

    Every method raises `StoreError` where the store cannot be used, in one line without its credentials.
    """

    @abstractmethod
    async def open(self) -> None:
        """Connect, bring the schema to this version, make missing indexes.

        Raises `StoreError` for a schema that a newer version has written.
        """

    @abstractmethod
    async def close(self) -> None:
        """Release it. Idempotent."""

    @abstractmethod
    async def write(self, *changes: Change) -> None:
        """Make all changes in one durable transaction, or none of them.

        Raises `Conflict` naming the first change whose condition does not hold, `InputError` for what cannot be stored.
        After any other `StoreError` they may have been made all the same: read before trying again.
        """

    @abstractmethod
    async def get(self, collection: str, key: str) -> Stored | None:
        """One document; None if there is none."""

    @abstractmethod
    async def find(
        self,
        collection: str,
        query: Query | None = None,
        *,
        order: Sequence[tuple[str, bool]] = (),
        after: str | None = None,
        limit: int = 100,
        max_bytes: int = 10 << 20,
    ) -> Page:
        """Documents that satisfy a query, in pages.

        Parameters
        ----------
        order
            Indexed keys with whether they descend, which all do or none does; documents that are equal in them are in order
            of their own key, in the same direction. Null is below numbers, and they are below texts.
        after
            `Page.after` of the page before, under the same query and order; `InputError` for anything else.
        limit
            Most documents in a page.
        max_bytes
            Most bytes of JSON in a page, but it always holds a document where there is one.

        A document that is there throughout is in exactly one of the pages, whatever else comes and goes meanwhile.
        """

    @abstractmethod
    async def count(self, collection: str, query: Query | None = None) -> int:
        """How many documents satisfy a query. Exact."""

    @abstractmethod
    async def log(self, name: str, *, after: int = 0, limit: int = 1000) -> list[tuple[int, Document]]:
        """Entries of a log with their numbers, from 1, above `after`, oldest first."""

    @abstractmethod
    async def counters(self, owner: str) -> dict[str, int]:
        """The counters of one owner. Exact."""

    @abstractmethod
    async def kept(self) -> Kept:
        """Under which keys anything is kept beside documents."""

    @abstractmethod
    async def unknown(self) -> list[str]:
        """Collections of documents that are there and that this process knows nothing of: those of plugins it lacks."""

    @abstractmethod
    def journal(self, workflow_id: str, *, writer: bool = True) -> Journal:
        """The journal of one workflow; synchronous, for a thread of its own. A writer begins a new epoch.

        Raises `InputError` for what is not the id of a workflow, `StoreError` for a reader where there is no journal.
        """

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

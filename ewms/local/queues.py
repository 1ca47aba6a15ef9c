"""The queues of a run directory's workflow, as the broker sees them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ewms.brokers.base import Inspection
from ewms.brokers.embedded import recorded_url
from ewms.brokers.urls import broker_for
from ewms.core.errors import InputError
from ewms.local.directory import RunDirectory
from ewms.stores.sqlite import SqliteJournal
from ewms.wms.driver import Queues


class InspectedQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue and what is in it."""

    name: str
    """As the broker knows it."""
    found: Inspection
    """What is to be known about it."""


def queues_of(directory: RunDirectory) -> tuple[str, list[str]]:
    """The URL of the workflow's broker and the names of its queues.

    Raises `StoreError` where there is no workflow, `InputError` where its private broker never ran or it has ended.
    """
    with SqliteJournal(directory.require_workflow().journal, writer=False) as journal:
        queues = Queues.of(journal.value("workflow_id"))
        state = journal.value("state")
    if state == "complete":
        raise InputError(
            f"the workflow in {directory.path} is complete: its queues are gone; see ewms status {directory.path}"
        )
    if directory.broker_url.exists():
        url: str | None = directory.broker_url.read_text().strip()
    else:
        url = recorded_url(directory.broker)
    if url is None:
        raise InputError(f"the workflow in {directory.path} has no broker yet; start it first")
    return url, [queues.work, queues.reports]


async def inspect_queues(url: str, names: Sequence[str]) -> list[InspectedQueue]:
    """What a broker says about queues; `BrokerUnavailable` or `BrokerRejected` where it does not."""
    async with broker_for(url) as broker:
        return [InspectedQueue(name=name, found=await broker.inspect(name)) for name in names]

"""Takes alerts in: kept for good before anybody is told that they were taken, and once, however often they come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

from ewms.services import Conflict, Insert, Query
from skymap_scanner.skydriver.auto.alert import AlertDocument, Way, alert_id, event_of
from skymap_scanner.skydriver.auto.collections import ALERTS
from skymap_scanner.skydriver.auto.documents import change
from skymap_scanner.skydriver.auto.facts import Facts, facts_of
from skymap_scanner.skydriver.auto.ports import Documents, Scanner

_log = logging.getLogger("ewms.service")


class Receipt(NamedTuple):
    """What was taken."""

    alert: AlertDocument
    """As it is kept."""
    is_new: bool
    """Whether it came for the first time."""


class Intake:
    """For all ways by which alerts come.

    Parameters
    ----------
    scanner
        Keeps the alerts themselves.
    now
        Seconds since 1970.
    """

    def __init__(self, documents: Documents, scanner: Scanner, now: Callable[[], float]) -> None:
        self._documents = documents
        self._scanner = scanner
        self._now = now
        self._one_by_one = asyncio.Lock()

    async def take(self, data: bytes, *, way: Way, sender: str, owner: str) -> Receipt:
        """Return when the alert is kept: it will be scanned, whatever dies now.

        Parameters
        ----------
        data
            An i3live alert, or an event in the plugin's own JSON.
        sender
            The caller, or the name of the file.
        owner
            Whose its scans are to be.

        Raises
        ------
        EventError
            It is no event.
        StoreError
            It could not be kept; send it again.
        """
        _, facts = await asyncio.to_thread(facts_of, data, sender if way == "folder" else "the alert")
        key = alert_id(facts.digest)
        if await self._documents.get(ALERTS, key) is not None:
            return await self._again(key)
        content = await self._scanner.keep(data)
        async with self._one_by_one:  # so that one of two revisions that come together knows of the other
            alert = await self._new(facts, content, way, sender, owner)
            try:
                await self._documents.write(Insert(collection=ALERTS, key=key, body=alert.model_dump(mode="json")))
            except Conflict:
                return await self._again(key)
        extra = {"alert": key, "way": way, "sender": sender, "alert_event": alert.event, "revision_of": alert.revision_of}
        _log.info("alert_kept", extra=extra)
        return Receipt(alert, is_new=True)

    async def _new(self, facts: Facts, content: str, way: Way, sender: str, owner: str) -> AlertDocument:
        now, event = self._now(), event_of(facts)
        former = await self._documents.find(ALERTS, Query.parse({"event": event}), order=(("received", True),), limit=1)
        return AlertDocument(
            alert_id=alert_id(facts.digest),
            received=now,
            last_seen=now,
            way=way,
            sender=sender,
            owner=owner,
            content=content,
            facts=facts,
            event=event,
            revision_of=former.items[0].key if former.items else None,
        )

    async def _again(self, key: str) -> Receipt:
        def noted(alert: AlertDocument) -> AlertDocument:
            return alert.model_copy(update={"seen": alert.seen + 1, "last_seen": self._now()})

        alert = await change(self._documents, ALERTS, key, AlertDocument, noted)
        _log.info("alert_repeated", extra={"alert": key, "seen": alert.seen})
        return Receipt(alert, is_new=False)

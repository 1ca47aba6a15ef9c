"""Events that were sent: read, checked and kept once per content."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

from ewms.services import Conflict, Insert, NotFound, PluginHost
from skymap_scanner.skydriver.documents import EVENTS, EventDocument
from skymap_scanner.skydriver.request import EventMetadata


class Read(NamedTuple):
    """An event as it was sent."""

    text: bytes
    """It as JSON, the same for the same content however it was laid out."""
    content_digest: str
    """Digest of header and pulses."""
    metadata: EventMetadata
    """Which event it is."""


class Events:
    """The collection of events."""

    def __init__(self, host: PluginHost) -> None:
        self._host = host

    async def keep(self, data: bytes) -> EventDocument:
        """Keep an event, once.

        Parameters
        ----------
        data
            An i3live alert as JSON or pickle, or an event in the plugin's own JSON.

        Raises
        ------
        EventError
            It is no event.
        """
        read = await asyncio.to_thread(_read, data)
        content = await self._host.upload(self._host.caller, read.text)
        event = EventDocument(
            i3_event_id=content.sha256,
            content_digest=read.content_digest,
            sha256=content.sha256,
            timestamp=self._host.now(),
            metadata=read.metadata,
        )
        insert = Insert(collection=EVENTS, key=event.i3_event_id, body=event.model_dump(mode="json"))
        try:
            await self._host.store.write(insert)
        except Conflict:
            return await self.get(event.i3_event_id)
        return event

    async def get(self, event_id: str) -> EventDocument:
        """An event that was kept; `NotFound` if there is none."""
        stored = await self._host.store.get(EVENTS, event_id)
        if stored is None:
            raise NotFound(f"there is no event {event_id:.100}; send it as event_i3live_json")
        return EventDocument.model_validate(stored.body)

    async def text(self, event_id: str) -> bytes:
        """An event as JSON; `NotFound` if there is none."""
        event = await self.get(event_id)
        return await self._host.uploaded(self._host.caller, event.sha256)


def _read(data: bytes) -> Read:
    """Synchronous: parsing takes a while."""
    from skymap_scanner.reading import load_alert_bytes, native
    from skymap_scanner.skydriver.auto.digest import content_digest

    alert = load_alert_bytes(data, "the event")
    header = alert.header
    metadata = EventMetadata(
        run_id=header.run_id,
        event_id=header.event_id,
        event_type=header.event_type,
        mjd=header.mjd,
        is_real_event=header.is_real,
    )
    message = _message(data)
    text = native.dumps(alert) if message is None else json.dumps(message, sort_keys=True, separators=(",", ":")).encode()
    return Read(text if isinstance(text, bytes) else text.encode(), content_digest(alert), metadata)


def _message(data: bytes) -> dict[str, Any] | None:
    """What was sent as JSON; None for what was not."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None

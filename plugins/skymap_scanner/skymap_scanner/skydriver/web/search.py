"""Searching scans by what people remember of them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ewms.services import PluginStore, Query
from skymap_scanner.skydriver.documents import SCANS, ScanDocument

STATES = (("open", "not ended"), ("complete", "complete"), ("failed", "failed"), ("cancelled", "cancelled"))
"""Values of the form's field, and words for them."""
KINDS = (("track", "a direction was found"), ("shower", "a shower: no direction"))
LIMIT = 50
"""Scans on a page."""
_SHOWER = "shower-like event: the map tells nothing about its direction"


@dataclass(frozen=True, kw_only=True)
class ScanSearch:
    """What is looked for; all of it must hold."""

    text: str = ""
    """Number of a run or event, id, stream, owner or reconstruction, or `label=value`."""
    state: str = ""
    """One of `STATES`; empty for any."""
    kind: str = ""
    """One of `KINDS`; empty for any."""
    deleted: bool = False
    """Whether deleted ones are shown too."""
    after: str = ""
    """Where the page begins: `after` of the one before."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return not (self.text or self.state or self.kind)

    def address(self, after: str = "") -> str:
        """The query part of an address that asks for the same, from a page on."""
        parts = {
            "q": self.text,
            "state": self.state,
            "kind": self.kind,
            "deleted": "1" if self.deleted else "",
            "after": after,
        }
        return urlencode({name: value for name, value in parts.items() if value})

    def query(self) -> Query:
        """The filter."""
        parts: list[dict[str, Any]] = []
        if not self.deleted:
            parts.append({"is_deleted": False})
        if self.state:
            parts.append({"outcome": "" if self.state == "open" else self.state})
        if self.kind:
            parts.append({"overview.note": _SHOWER} if self.kind == "shower" else {"overview.best_fit.ra": {"$gte": 0}})
        if self.text:
            parts.append(_about(self.text.strip()))
        return Query.parse({"$and": parts} if parts else {})


async def found(store: PluginStore, search: ScanSearch) -> tuple[list[ScanDocument], str | None, int]:
    """A page of scans, newest first, where the next one begins, and how many there are in all. Exact."""
    query = search.query()
    page = await store.find(SCANS, query, order=(("timestamp", True),), after=search.after or None, limit=LIMIT)
    total = await store.count(SCANS, query)
    return [ScanDocument.model_validate(stored.body) for stored in page.items], page.after, total


def _about(text: str) -> dict[str, Any]:
    """A filter for a text, by whole words: there is an index or none, but never a search through everything in Python."""
    name, separator, value = text.partition("=")
    if separator and name and not any(sign in name for sign in '."$\\') and name.isprintable():
        return {f"classifiers.{name}": {"$in": _values(value)}}
    words = {text, text.lower(), text.upper(), text.capitalize()}
    fields = ("scan_id", "i3_event_id", "owner", "ewms_workflow_id", "reco.requested", "event_metadata.event_type")
    choices: list[dict[str, Any]] = [{field: {"$in": sorted(words)}} for field in fields]
    if text.isdecimal() and text.isascii() and len(text) < 19:
        choices += [{"event_metadata.run_id": int(text)}, {"event_metadata.event_id": int(text)}]
    return {"$or": choices}


def _values(text: str) -> list[Any]:
    """What a label may hold that is written so."""
    found: list[Any] = [text]
    if text.lower() in {"true", "false"}:
        found.append(text.lower() == "true")
    with contextlib.suppress(ValueError):
        found.append(float(text) if not text.isdecimal() else int(text))
    return found

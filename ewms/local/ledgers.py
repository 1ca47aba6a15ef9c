"""A workflow's ledger, with limits that fit its broker."""

from __future__ import annotations

from ewms.blobs import BlobStore
from ewms.local.loading import AnyApplication, Loaded
from ewms.stores.base import Journal
from ewms.wms.hosting import Host
from ewms.wms.ledger import Ledger
from ewms.wms.pilots import blob_threshold

_MESSAGE_BYTES = 4 << 20


def blob_store(url: str, max_message_bytes: int) -> BlobStore:
    """Where bodies go that are too large for a broker with this limit; with an empty URL, none ever is."""
    return BlobStore(url, blob_threshold(max_message_bytes) if url else max_message_bytes)


def ledger_for(
    loaded: Loaded,
    application: AnyApplication,
    journal: Journal,
    blobs: BlobStore,
    max_message_bytes: int,
    *,
    independent_start: bool = False,
) -> Ledger:
    """A ledger that hosts the application.

    Parameters
    ----------
    max_message_bytes
        The broker's limit.
    independent_start
        See `Host`.
    """
    host = Host(application, loaded.graph, blobs, independent_start=independent_start)
    max_bytes = min(_MESSAGE_BYTES, max_message_bytes // 2)
    return Ledger(loaded.graph, host, journal, max_bytes=max_bytes, window=loaded.spec.window)

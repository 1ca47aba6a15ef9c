"""The collections of automated scanning in the service's store, with the keys that are searched."""

from __future__ import annotations

from typing import Final

ALERTS: Final = "alerts"
"""One document per alert, under its content: what came twice is there once."""
PUBLICATIONS: Final = "publications"
"""One document per scan and target: what is still to be sent there."""

COLLECTIONS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    ALERTS: (("received",), ("state", "received"), ("event", "received")),
    PUBLICATIONS: (("scan_id",), ("state", "due")),
}

"""An unfinished event in the driver's memory."""

from __future__ import annotations

import msgspec

from ewms.core.lifecycle import Life
from ewms.stores.base import EventRow


class Tracked(msgspec.Struct, eq=False, gc=False):
    """One unfinished event: what was planned, and its life."""

    event: EventRow
    """As in the journal."""
    life: Life = msgspec.field(default_factory=Life)
    """Changed by the state machine only."""
    counted: bool = False
    """Counted as sent by this driver."""

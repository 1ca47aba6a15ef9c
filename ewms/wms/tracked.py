"""An unfinished event in the driver's memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from ewms.core.lifecycle import Life
from ewms.stores.base import EventRow


@dataclass(slots=True, eq=False)
class Tracked:
    """One unfinished event: what was planned, and its life."""

    event: EventRow
    """As in the journal."""
    life: Life = field(default_factory=Life)
    """Changed by the state machine only."""
    counted: bool = False
    """Counted as sent by this driver."""

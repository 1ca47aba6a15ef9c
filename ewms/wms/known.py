"""An event that is planned a second time: which is well if it is the same."""

from __future__ import annotations

import logging

from ewms.core.errors import InputError
from ewms.core.graph import Graph
from ewms.stores.base import EventRow
from ewms.wms.routing import NewEvent, is_public_rank, is_source_rank

_log = logging.getLogger("ewms.driver")


def check_known(new: NewEvent | EventRow, old: EventRow, graph: Graph) -> None:
    """An event may be planned again by whoever planned it before, and with the same body only.

    Raises `InputError` otherwise; but a stranger's mistake in a public queue costs the second message alone.
    """
    queue = graph.tasks[new.task].input
    if (new.codec, new.data) != (old.codec, old.data):
        if is_public_rank(new.rank):
            _log.warning("public_event_dropped", extra={"event_id": new.id, "queue": queue, "reason": "its id is taken"})
            return
        raise InputError(
            f"duplicate id: event '{new.id}' of queue '{queue}' was planned with body {old.data[:100]!r} "
            f"and is now {new.data[:100]!r}"
        )
    if new.rank != old.rank and is_source_rank(new.rank) and is_source_rank(old.rank):
        raise InputError(f"duplicate id: the source sends event '{new.id}' to queue '{queue}' twice; ids must be unique")

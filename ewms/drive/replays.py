"""Trying dead letters again where the service asks for it: each request is carried out once."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ewms.core.errors import InputError
from ewms.core.service.workflow import ReplayRequest
from ewms.stores.base import Batch, Journal
from ewms.wms.replay import replay, selected
from ewms.wms.routing import Router

_DONE = "replayed"
_log = logging.getLogger("ewms.drive")


def carry_out(journal: Journal, router: Router, tasks: Sequence[str], requests: Sequence[ReplayRequest]) -> None:
    """Re-open the letters that are asked for; before a driver starts.

    Parameters
    ----------
    tasks
        Names, in the order of the graph.
    """
    done: list[str] = journal.value(_DONE, [])
    for request in requests:
        if request.request_id in done:
            continue
        done = [*done, request.request_id]
        try:
            letters = list(selected(journal, tasks, request.task, request.event_ids))
        except InputError as error:
            _log.warning("replay_refused", extra={"request": request.request_id, "reason": str(error)})
            letters = []
        if not replay(journal, router, letters, {_DONE: done}):
            journal.commit(Batch(values={_DONE: done}))

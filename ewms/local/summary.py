"""`summary.json`: what a run came to, in numbers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ewms.stores.base import Journal
from ewms.wms.driver import Driver


class Stopwatch:
    """Times one life of a driver and adds it to what the journal knows of former ones."""

    def __init__(self, journal: Journal) -> None:
        self._started = time.monotonic()
        self._before: float = journal.value("seconds", 0.0)
        self._first: float | None = journal.value("first_outcome_seconds")
        self._accepted_before: int = journal.value("counters", {}).get("accepted", 0)

    def summary(
        self,
        record: Mapping[str, Any],
        state: str,
        reason: str,
        driver: Driver | None,
        counters: Mapping[str, int],
    ) -> dict[str, Any]:
        """The summary at this moment.

        `seconds` and `first_outcome_seconds` count from the start of the first driver, without the time between drivers;
        `events_per_second` is this driver's alone.
        """
        seconds = time.monotonic() - self._started
        if self._first is None and driver is not None and driver.first_outcome_at is not None:
            self._first = round(self._before + driver.first_outcome_at - self._started, 3)
        summary = {
            "workflow_id": record["workflow_id"],
            "name": record["name"],
            "state": state,
            "events": dict(counters),
            "seconds": round(self._before + seconds, 3),
            "first_outcome_seconds": self._first,
            "events_per_second": round((counters["accepted"] - self._accepted_before) / seconds, 3),
        }
        return summary | ({"reason": reason} if reason else {})

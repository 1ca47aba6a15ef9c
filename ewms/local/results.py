"""What a workflow leaves in its folder: product, dead letters and summary."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from ewms.local.directory import RunDirectory
from ewms.local.product import write_dead_letters, write_json, write_outcomes, write_product
from ewms.local.summary import Stopwatch
from ewms.stores.base import Batch, Journal
from ewms.wms.counters import Counters
from ewms.wms.driver import Driver
from ewms.wms.hosting import Host
from ewms.wms.letters import letters
from ewms.wms.routing import Router


class Results:
    """One life's part of them; synchronous.

    Parameters
    ----------
    directory
        Where they go.
    journal
        Open for writing.
    record
        `workflow_id` and `name`, and what else the journal is to keep.
    names
        Of the tasks, in the order of the graph.
    """

    def __init__(self, directory: RunDirectory, journal: Journal, record: Mapping[str, Any], names: Sequence[str]) -> None:
        self._directory = directory
        self._journal = journal
        self._record = record
        self._names = names
        self._extra: dict[str, Any] = {}
        self._stopwatch = Stopwatch(journal)
        journal.commit(Batch(values={"state": "running", "reason": "", **record}))

    def write_product(self, host: Host, router: Router) -> None:
        """Write what the application assembled, or else the outcomes of the last tasks."""
        product = host.assemble()
        if product is None:
            write_outcomes(self._directory.product / "outcomes.jsonl", self._journal, router, self._names)
        else:
            write_product(self._directory.product, product)
        shutil.rmtree(self._directory.partial, ignore_errors=True)
        self._extra = host.summary()

    def note(self, state: str, reason: str, driver: Driver | None) -> dict[str, Any]:
        """Have the journal keep how the workflow stands; the summary."""
        counters = Counters.from_dict(self._journal.value("counters", {})).as_dict()
        summary = self._stopwatch.summary(self._record, state, reason, driver, counters) | self._extra
        summary["tasks"] = self._journal.value("costs", {})
        kept = {name: summary[name] for name in ("seconds", "first_outcome_seconds")}
        self._journal.commit(Batch(values={"state": state, "reason": reason, **kept}))
        return summary

    def leave(self, state: str, reason: str, driver: Driver | None) -> dict[str, Any]:
        """Write what there always is, however the workflow ended; the summary."""
        summary = self.note(state, reason, driver)
        self._directory.product.mkdir(exist_ok=True)
        write_dead_letters(self._directory.dead_letters, letters(self._journal, self._names))
        write_json(self._directory.summary, summary)
        return summary

"""What a driver host leaves: a journal with an accepted event, a dead letter and an unfinished one, and a document."""

from __future__ import annotations

from typing import Any

import msgspec

from ewms.core.event import Attempt
from ewms.core.service.workflow import TaskProgress, WorkflowDocument
from ewms.core.wire import WireOutput
from ewms.stores.base import Accepted, Batch, Buried, EventRow
from ewms.stores.collections import WORKFLOWS
from ewms.stores.store import Replace
from ewms.wms.routing import source_rank
from ewms.wms.service.state import ServiceState

REASON = "ValueError: 'two' is no number"
ATTEMPTS = [
    Attempt(
        attempt=number,
        kind="failed",
        reason=REASON.replace("two", str(number)),
        pilot="PL-1",
        host="slot1",
        detail={"stderr": f"warning {number}", "traceback": "line 1"},
    )
    for number in (1, 2)
]


def outputs(*values: Any) -> bytes:
    """As the journal keeps them: bytes as bytes, others as JSON."""
    return msgspec.msgpack.encode(
        [
            WireOutput("bytes", value) if isinstance(value, bytes) else WireOutput("json", msgspec.json.encode(value))
            for value in values
        ]
    )


def event(seq: int, body: Any) -> EventRow:
    """Event `e<seq>` of the first task."""
    return EventRow(seq, 0, f"e{seq}", source_rank(seq), "json", msgspec.json.encode(body), None)


async def drive(state: ServiceState, workflow_id: str) -> None:
    """Leave `e1` accepted, `e2` given up and `e3` unfinished."""
    with state.store.journal(workflow_id) as journal:
        journal.commit(
            Batch(
                events=[event(1, 1), event(2, "two"), event(3, 3)],
                accepted=[Accepted(1, 1, outputs(2), False)],
                attempts=[(2, attempt) for attempt in ATTEMPTS],
                buried=[Buried(2, 2, REASON)],
            )
        )
    await change(state, workflow_id, {"state": "running", "active": True, **progress(2)})


async def accept(state: ServiceState, workflow_id: str, seq: int, order: int, *values: Any) -> None:
    """Have another event accepted."""
    with state.store.journal(workflow_id) as journal:
        journal.commit(Batch(accepted=[Accepted(seq, order, outputs(*values), len(values) > 1)]))
    await change(state, workflow_id, progress(order))


def progress(terminal: int) -> dict[str, Any]:
    """Fields of the document, with so many of three events terminal."""
    return {
        "counts": {"accepted": terminal},
        "tasks": {"double": TaskProgress(planned=3, terminal=terminal).model_dump()},
    }


async def change(state: ServiceState, workflow_id: str, fields: dict[str, Any]) -> None:
    """Write to the document as a driver host does that has claimed the workflow."""
    stored = await state.store.get(WORKFLOWS, workflow_id)
    assert stored is not None
    driver = {"host": "host", "beat": 0, "epoch": 1}
    document = WorkflowDocument.model_validate({**stored.body, "driver": driver, **fields})
    body = document.model_dump(mode="json")
    await state.store.write(Replace(collection=WORKFLOWS, key=workflow_id, version=stored.version, body=body))
    await state.news.publish(WORKFLOWS, workflow_id)

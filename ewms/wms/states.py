"""Changes of a workflow's state, told: in its log, and to its webhooks, in the write that makes them."""

from __future__ import annotations

import secrets

from ewms.core.service.delivery import Delivery
from ewms.core.service.workflow import StateEntry, WorkflowDocument
from ewms.stores.collections import DELIVERIES
from ewms.stores.store import Append, Change, Insert


def told(before: WorkflowDocument | None, after: WorkflowDocument, now: float) -> list[Change]:
    """What to write together with a workflow's document; nothing where its state stays as it is.

    Parameters
    ----------
    before
        As it was; None for a new one.
    now
        Seconds since 1970, for people.
    """
    if before is not None and (before.state, before.reason) == (after.state, after.reason):
        return []
    entry = StateEntry(state=after.state, timestamp=now, reason=after.reason)
    changes: list[Change] = [Append(log=after.workflow_id, entry=entry.model_dump(mode="json"))]
    for url in after.webhooks:
        delivery = Delivery(
            delivery_id=f"DL-{secrets.token_hex(8)}",
            workflow_id=after.workflow_id,
            owner=after.owner,
            name=after.name,
            url=url,
            entry=entry,
            due=now,
        )
        changes.append(Insert(collection=DELIVERIES, key=delivery.delivery_id, body=delivery.model_dump(mode="json")))
    return changes

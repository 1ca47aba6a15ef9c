"""The queues of a workflow: what its spec calls so, and the broker's channels behind them."""

from __future__ import annotations

import asyncio
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ewms.brokers.base import Inspection
from ewms.core.errors import BrokerRejected
from ewms.core.service.workflow import TaskProgress, WorkflowDocument
from ewms.wms.driver import Queues
from ewms.wms.service.state import ServiceState


class QueueState(BaseModel):
    """One queue."""

    model_config = ConfigDict(frozen=True)

    name: str
    """In the spec; of a channel, what it is for."""
    kind: Literal["task", "channel", "public"]
    """What a task reads; what leads between driver and pilots; what people fill or read."""
    ready: int
    """Of a task, known events that are not terminal; of others, messages that wait at the broker."""
    leased: int | None = None
    """Messages that a pilot or reader has now; null where a task's share of them is not known."""
    consumers: int | None = None
    """Who reads it; null for a task."""
    redelivered: int | None = None
    """Leased messages that somebody else had before; null for a task."""
    rate: float | None = None
    """Events per second that were worked off over the last half minute; null before that is known."""


async def queues_of(state: ServiceState, workflow: WorkflowDocument) -> list[QueueState]:
    """All queues of a workflow: of its tasks, and where they exist, those at the broker."""
    rates = state.watch.rates(workflow.workflow_id)
    found = [
        QueueState(
            name=task.input,
            kind="task",
            ready=_backlog(workflow.tasks.get(task.name, TaskProgress())),
            rate=rates.get(task.name),
        )
        for task in workflow.spec.tasks
    ]
    if workflow.active and state.broker.capabilities.tells_depth:
        channels = Queues.of(workflow.workflow_id)
        total = sum(rates.values()) if rates else None
        asked = [
            _inspected(state, "work", "channel", channels.work, total),
            _inspected(state, "reports", "channel", channels.reports, None),
            *(_inspected(state, name, "public", queue, rates.get(name)) for name, queue in workflow.public.items()),
        ]
        found += [queue for queue in await asyncio.gather(*asked) if queue is not None]
    return found


def _backlog(progress: TaskProgress) -> int:
    return max(0, progress.planned - progress.terminal)


async def _inspected(
    state: ServiceState, name: str, kind: Literal["channel", "public"], queue: str, rate: float | None
) -> QueueState | None:
    """What the broker says; None for a queue that is gone."""
    try:
        inspection: Inspection = await state.broker.inspect(queue)
    except BrokerRejected:
        return None
    return QueueState(
        name=name,
        kind=kind,
        ready=inspection.ready,
        leased=inspection.leased,
        consumers=inspection.consumers,
        redelivered=inspection.redelivered,
        rate=rate,
    )

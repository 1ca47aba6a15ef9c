"""Numbers that are read when Prometheus asks for them."""

from __future__ import annotations

import asyncio

from ewms.core.query import Query
from ewms.core.service.cluster import tms_key
from ewms.core.service.phases import Phase, WorkflowState
from ewms.stores.collections import DELIVERIES, HOSTS, TASKFORCES, WORKFLOWS
from ewms.wms.service.state import ServiceState


async def measure(state: ServiceState) -> None:
    """Bring the gauges up to date."""
    metrics, store = state.metrics, state.store
    workflows = await asyncio.gather(*(store.count(WORKFLOWS, Query.parse({"state": one.value})) for one in WorkflowState))
    for one, count in zip(WorkflowState, workflows, strict=True):
        metrics.workflows.labels(one.value).set(count)
    taskforces = await asyncio.gather(*(store.count(TASKFORCES, Query.parse({"phase": one.value})) for one in Phase))
    for phase, count in zip(Phase, taskforces, strict=True):
        metrics.taskforces.labels(phase.value).set(count)
    metrics.deliveries.set(await store.count(DELIVERIES))
    vitals = await state.vitals.look()
    metrics.drivers.set(vitals.drivers)
    for name, complaint in vitals.clusters.items():
        stored = await store.get(HOSTS, tms_key(name))
        metrics.ready.labels(name).set(0 if complaint else 1)
        metrics.workers.labels(name).set(0 if stored is None else stored.body["report"]["workers"])

"""What each cluster's TMS is to make true, and waiting for it to change."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence

import msgspec

from ewms.core.service.phases import Phase
from ewms.core.service.taskforce import Order, Plan, TaskforceDocument
from ewms.stores.collections import SITES, TASKFORCES
from ewms.stores.store import Stored
from ewms.wms.service.lookup import find_all
from ewms.wms.service.sites import excluded_sites
from ewms.wms.service.state import ServiceState
from ewms.wms.service.waiting import next_news

PATIENCE = 30.0
"""Seconds for which a question is kept."""
_PLANNED = [phase.value for phase in (Phase.PENDING_STARTER, Phase.CONDOR_SUBMIT, Phase.PENDING_STOPPER, Phase.CONDOR_RM)]
_WHAT_COUNTS = ("phase", "workers", "priority", "cluster_id", "failures")
"""Of a taskforce, what a TMS acts on; what it has told the service itself is no news to it."""
_IDLE_SECONDS = 1.0
_IDLE_SHARE = 20
"""Where nobody tells of a change, looking takes at most this part of the time: one in so many."""


async def plan_of(state: ServiceState, cluster: str, after: int | None) -> Plan:
    """The plan of a cluster as soon as its revision is another one than `after`.

    It is given as it is where `after` is None, and when the patience or the service ends. What was written before the
    question is in the answer.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    with state.news.listener(TASKFORCES, SITES) as listener:
        while True:
            began = loop.time()
            stored = await find_all(state.store, TASKFORCES, {"cluster": cluster, "phase": {"$in": _PLANNED}})
            excluded = await excluded_sites(state, cluster)
            revision = _revision(stored, excluded)
            if after is None or revision != after or state.stopping.is_set() or began >= end:
                return _plan(stored, excluded, revision)
            cost = loop.time() - began
            pause = min(max(_IDLE_SECONDS, _IDLE_SHARE * cost), end - began)
            await next_news(listener, pause, state.stopping)
            # Changes come in swarms, and a long plan is not read for each of them.
            await asyncio.sleep(min(cost, _IDLE_SECONDS))


def _plan(stored: Sequence[Stored], excluded: tuple[str, ...], revision: int) -> Plan:
    orders = (
        Order(taskforce=TaskforceDocument.model_validate(one.body), version=one.version, excluded_sites=excluded)
        for one in stored
    )
    return Plan(revision=revision, orders=tuple(orders))


def _revision(stored: Sequence[Stored], excluded: tuple[str, ...]) -> int:
    """Another number for another plan, and the same one after a restart of the service: a digest of what counts."""
    content = [[one.key, *(one.body[name] for name in _WHAT_COUNTS)] for one in stored]
    digest = hashlib.sha256(msgspec.json.encode((content, excluded))).digest()
    return int.from_bytes(digest[:6])

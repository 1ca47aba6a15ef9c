"""The loop that carries workflows on: activation, scheduling, the end of their taskforces, and what is left to clear away.

Pure functions decide (`ewms.core.service.course`, `ewms.core.scheduler`), and what they say is written if nothing changed
meanwhile; what somebody else has changed is read and decided again.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterable

from ewms.core.errors import Conflict
from ewms.core.service.course import due, is_closable, successors
from ewms.core.service.taskforce import TaskforceDocument
from ewms.core.service.transitions import Assigned, Event, created
from ewms.core.service.transitions import Change as Transition
from ewms.stores.collections import TASKFORCES, WORKFLOWS
from ewms.stores.store import Change, Insert, Replace, Stored
from ewms.wms.service.closing import Closing
from ewms.wms.service.cluster_health import ClusterHealth
from ewms.wms.service.happening import log, written
from ewms.wms.service.picture import Case, Picture
from ewms.wms.service.scheduling import Scheduling
from ewms.wms.service.state import ServiceState
from ewms.wms.service.submission import new_taskforce

_LOOK_SECONDS = 1.0
_LOAD = 4
"""Pauses are so many times as long as passes, so that the loop takes at most a fifth of the processor."""
_LONGEST_PAUSE = 1.0


class Control:
    """The control loop of a service; `run` it once."""

    def __init__(self, state: ServiceState) -> None:
        self._state = state
        self._picture = Picture(state.store)
        self._scheduling = Scheduling(state.configuration)
        self._health = ClusterHealth(state.store, state.configuration.clusters)
        self._closing = Closing(state)

    async def run(self) -> None:
        """Carry workflows on until cancelled. Raises what a store raises that cannot be used."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._closing.run())
            group.create_task(self._run())

    async def _run(self) -> None:
        with self._state.news.listener(WORKFLOWS, TASKFORCES) as listener:
            await self._picture.load()
            await self._health.look()
            looked = time.monotonic()
            while True:
                began = time.monotonic()
                if began - looked >= _LOOK_SECONDS:
                    await self._picture.look()
                    await self._health.look()
                    looked = time.monotonic()
                await self.step()
                await asyncio.sleep(min(_LOAD * (time.monotonic() - began), _LONGEST_PAUSE))
                await self._picture.take_news(await listener.wait(_LOOK_SECONDS))

    async def step(self) -> None:
        """One pass over everything that is not over."""
        cases = list(self._picture)
        await asyncio.gather(*(self._carry_on(case) for case in cases))
        await self._schedule(cases)
        for case in cases:
            if is_closable(case.workflow.document, case.documents):
                self._closing.put(case.workflow.stored.key)
        self._picture.forget_what_is_over()

    async def _carry_on(self, case: Case) -> None:
        workflow, now = case.workflow.document, self._state.clock()
        events = due(workflow, case.documents)
        added = successors(workflow, case.documents, now, lambda: secrets.token_bytes(4))
        if events or added:
            await self._write(case, events, added)

    async def _schedule(self, cases: Iterable[Case]) -> None:
        cases = list(cases)
        decisions = await asyncio.to_thread(self._scheduling.decide, cases, self._state.clock(), self._health.unhealthy)
        await asyncio.gather(*(self._assign(case, decisions.workers) for case in cases))

    async def _assign(self, case: Case, workers: dict[str, int]) -> None:
        events: list[tuple[TaskforceDocument, Event]] = [
            (taskforce, Assigned(workers[taskforce.taskforce_uuid]))
            for taskforce in case.documents
            if taskforce.workers != workers.get(taskforce.taskforce_uuid, taskforce.workers)
        ]
        if events:
            await self._write(case, events, [])

    async def _write(
        self, case: Case, events: Iterable[tuple[TaskforceDocument, Event]], added: Iterable[TaskforceDocument]
    ) -> None:
        """Everything that happens to one workflow in one write."""
        now, key = self._state.clock(), case.workflow.stored.key
        transitions: list[Transition] = []
        changes: list[Change] = []
        for taskforce, event in events:
            transition = event.apply(taskforce, now)
            transitions.append(transition)
            changes += written(case.taskforces[taskforce.taskforce_uuid].stored, transition)
        for taskforce in added:
            entry = created(taskforce, "WMS", f"takes the place of {taskforce.replaces}")
            transitions.append(Transition(taskforce, (entry,)))
            changes += new_taskforce(taskforce, entry)
        try:
            await self._state.store.write(*changes)
        except Conflict:
            await self._picture.reread(key)
            return
        for transition in transitions:
            log(transition)
        await self._tell(key, changes)

    async def _tell(self, workflow_id: str, changes: Iterable[Change]) -> None:
        """Take in what was written, and tell whoever waits for it."""
        for change in changes:
            match change:
                case Replace():
                    stored = Stored(change.key, change.version + 1, change.body)
                case Insert():
                    stored = Stored(change.key, 1, change.body)
                case _:
                    continue
            self._picture.put(stored, workflow_id)
            await self._state.news.publish(TASKFORCES, change.key)

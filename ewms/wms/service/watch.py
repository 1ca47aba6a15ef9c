"""Looks at workflows that somebody watches: once for all who do, and not at all where nobody does."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ewms.core.query import Query
from ewms.core.service.phases import FINAL, WorkflowState
from ewms.core.service.workflow import WorkflowDocument
from ewms.stores.collections import WORKFLOWS
from ewms.stores.store import Store
from ewms.wms.access.caller import Caller
from ewms.wms.news import News
from ewms.wms.service.rates import Rates
from ewms.wms.service.waiting import next_news
from ewms.wms.service.watcher import Sight, Watcher

MAX_WATCHERS = 1000
"""Listeners at a time: each costs what it has not read yet, which is one document per workflow that changed."""
_LOOK_SECONDS = 1.0
_INTEREST_SECONDS = 60.0
_RESTING_LOOKS = 10
"""One look in so many is at workflows that have ended, too: only a replay changes them, and news of that may be lost."""
_REMEMBERED = 10_000
_UNFINISHED = Query.parse({"state": {"$in": sorted(state.value for state in WorkflowState if state not in FINAL)}})


class Watch:
    """One task reads what changed, for everybody.

    Parameters
    ----------
    stopping
        Set when the service is to end.
    """

    def __init__(self, store: Store, news: News, stopping: asyncio.Event) -> None:
        self.session = secrets.token_hex(4)
        """Changes with every start of the service: numbers of another session mean nothing."""
        self._store = store
        self._news = news
        self._stopping = stopping
        self._watchers: set[Watcher] = set()
        self._wanted: dict[str, float] = {}
        self._rates: dict[str, Rates] = {}
        self._versions: dict[str, int] = {}
        self._resting: set[str] = set()
        self._changes: OrderedDict[str, int] = OrderedDict()
        self._number = 0

    @property
    def is_full(self) -> bool:
        """Whether nobody else can listen."""
        return len(self._watchers) >= MAX_WATCHERS

    @contextmanager
    def watcher(self, caller: Caller, workflow_id: str | None = None) -> Iterator[Watcher]:
        """Listens inside the block."""
        watcher = Watcher(caller, workflow_id)
        if self._stopping.is_set():
            watcher.end()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def rates(self, workflow_id: str) -> dict[str, float]:
        """Events per second by task; whoever asks has the workflow looked at for the next minute, so ask again."""
        self._wanted[workflow_id] = asyncio.get_running_loop().time() + _INTEREST_SECONDS
        found = self._rates.get(workflow_id)
        return {} if found is None else found.per_second()

    def history(self, workflow_id: str) -> list[tuple[float, int]]:
        """How many events were terminal, each with the seconds since then; as far as somebody has watched."""
        found = self._rates.get(workflow_id)
        return [] if found is None else found.history(asyncio.get_running_loop().time())

    def changed_since(self, number: int) -> list[str] | None:
        """Ids of workflows that changed after a number; None if that is too long ago to tell."""
        if number > self._number or (len(self._changes) == _REMEMBERED and number < next(iter(self._changes.values()))):
            return None
        return [workflow_id for workflow_id, last in self._changes.items() if last > number]

    async def run(self) -> None:
        """Look at what changes until the service ends; whatever is watched is looked at each second anyway."""
        ending = asyncio.create_task(self._end_watchers())
        try:
            await self._look_on()
        finally:
            ending.cancel()

    async def _end_watchers(self) -> None:
        await self._stopping.wait()
        for watcher in self._watchers:
            watcher.end()

    async def _look_on(self) -> None:
        loop = asyncio.get_running_loop()
        looked, looks = loop.time(), 0
        with self._news.listener(WORKFLOWS) as listener:
            while not self._stopping.is_set():
                news = [item.key for item in await next_news(listener, _LOOK_SECONDS, self._stopping)]
                for key in news:
                    self._note(key)
                watched = self._watched(loop.time())
                await self._look(news if self._wants_all else watched.intersection(news))
                if loop.time() - looked >= _LOOK_SECONDS:
                    looks += 1
                    known = watched - self._resting if looks % _RESTING_LOOKS else watched
                    await self._look(await self._unfinished() | known if self._wants_all else known)
                    looked = loop.time()

    def _watched(self, now: float) -> set[str]:
        """Ids that somebody wants to know of; forgets what nobody does."""
        self._wanted = {key: until for key, until in self._wanted.items() if until > now}
        watched = {watcher.workflow_id for watcher in self._watchers if watcher.workflow_id is not None} | set(self._wanted)
        for key in (self._resting if self._wants_all else set(self._versions)) - watched:
            self._drop(key)
        return watched

    @property
    def _wants_all(self) -> bool:
        return any(watcher.workflow_id is None for watcher in self._watchers)

    def _drop(self, key: str) -> None:
        self._rates.pop(key, None)
        self._versions.pop(key, None)
        self._resting.discard(key)

    async def _unfinished(self) -> set[str]:
        found: set[str] = set()
        after: str | None = None
        while True:
            page = await self._store.find(WORKFLOWS, _UNFINISHED, after=after, limit=1000)
            found |= {stored.key for stored in page.items if self._versions.get(stored.key) != stored.version}
            if (after := page.after) is None:
                return found

    async def _look(self, keys: Iterable[str]) -> None:
        for key in keys:
            stored = await self._store.get(WORKFLOWS, key)
            if stored is None:
                continue
            workflow = WorkflowDocument.model_validate(stored.body)
            rates = self._rates.setdefault(key, Rates())
            rates.note({name: task.terminal for name, task in workflow.tasks.items()}, asyncio.get_running_loop().time())
            if self._versions.get(key) == stored.version:
                continue
            self._versions[key] = stored.version
            sight = Sight(self._note(key), stored.version, workflow, rates.per_second())
            for watcher in self._watchers:
                watcher.put(sight)
            self._resting.discard(key)
            if workflow.state in FINAL:
                self._rest(key)

    def _rest(self, key: str) -> None:
        """Forget what has ended, but for its version where somebody goes on to watch it."""
        if any(watcher.workflow_id == key for watcher in self._watchers) or key in self._wanted:
            self._rates.pop(key, None)
            self._resting.add(key)
        else:
            self._drop(key)

    def _note(self, key: str) -> int:
        self._number += 1
        self._changes[key] = self._number
        self._changes.move_to_end(key)
        if len(self._changes) > _REMEMBERED:
            self._changes.popitem(last=False)
        return self._number

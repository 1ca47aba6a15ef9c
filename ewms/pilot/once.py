"""What is done once per pilot, however many slots need it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Once:
    """Remembers results, errors too."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}

    def begin(self, key: Hashable, make: Callable[[], Awaitable[object]]) -> None:
        """Have `make` run, unless that was done before."""
        if key not in self._tasks:
            self._tasks[key] = asyncio.ensure_future(_run(make))

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """What `make` gave the first time, waited for by all; cancelling one waiter leaves the others theirs."""
        self.begin(key, make)
        result: T = await asyncio.shield(self._tasks[key])
        return result

    async def close(self) -> None:
        """Cancel what is not done."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def _run(make: Callable[[], Awaitable[T]]) -> T:
    return await make()

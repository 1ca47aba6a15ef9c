"""Waiting for what a test needs to be so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

SECONDS = 20.0


def rest_after(look: float) -> float:
    """Seconds to wait between looks of which one took so many: quick ones take a fifth of the time at most."""
    return min(0.5, max(0.02, 4 * look))


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = SECONDS) -> None:
    """Return when the condition holds; fails the test after so many seconds."""
    now = asyncio.get_running_loop().time
    end = now() + seconds
    while True:
        began = now()
        if await condition():
            return
        if now() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        await asyncio.sleep(rest_after(now() - began))

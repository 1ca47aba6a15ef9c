"""Waiting for what a test needs to be so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

SECONDS = 20.0


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = SECONDS) -> None:
    """Return when the condition holds; fails the test after so many seconds."""
    end = asyncio.get_running_loop().time() + seconds
    while True:
        if await condition():
            return
        if asyncio.get_running_loop().time() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        await asyncio.sleep(0.02)

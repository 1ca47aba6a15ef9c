"""Waiting that ends with the service."""

from __future__ import annotations

import asyncio

from ewms.wms.news import Listener


async def next_news(listener: Listener, seconds: float, stopping: asyncio.Event) -> None:
    """Return when there is news, the time is over, or the service is to end. The news are taken."""
    waits = {asyncio.create_task(listener.wait(seconds)), asyncio.create_task(stopping.wait())}
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

"""Waiting that ends with the service."""

from __future__ import annotations

import asyncio

from ewms.wms.news import Item, Listener


async def next_news(listener: Listener, seconds: float, stopping: asyncio.Event) -> list[Item]:
    """The news since the last call, as soon as there are any; nothing when the time is over, or the service is to end."""
    hearing = asyncio.create_task(listener.wait(seconds))
    ending = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({hearing, ending}, return_when=asyncio.FIRST_COMPLETED)
        return hearing.result() if hearing.done() else []
    finally:
        for task in (hearing, ending):
            task.cancel()
        await asyncio.gather(hearing, ending, return_exceptions=True)

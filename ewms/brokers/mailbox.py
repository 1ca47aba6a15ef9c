"""Where signals wait for their reader: bounded, and the oldest is dropped first."""

from __future__ import annotations

import asyncio
from collections import deque

CAPACITY = 4096


class Mailbox:
    """An endless asynchronous iterator over what is put in; for one reader."""

    def __init__(self) -> None:
        self._bodies: deque[bytes] = deque(maxlen=CAPACITY)
        self._filled = asyncio.Event()

    def put(self, body: bytes) -> None:
        """Add one, at the cost of the oldest if there are too many."""
        self._bodies.append(body)
        self._filled.set()

    def __aiter__(self) -> Mailbox:
        return self

    async def __anext__(self) -> bytes:
        while not self._bodies:
            self._filled.clear()
            await self._filled.wait()
        return self._bodies.popleft()

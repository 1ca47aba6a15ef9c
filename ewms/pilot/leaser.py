"""Leases messages for free slots, and for the line of short ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ewms.brokers.base import Consumer, Delivery
from ewms.core.errors import BrokerError

LEASE_WAIT = 5.0
"""Seconds that one request for messages stays open."""


class Leaser:
    """Asks for as many messages as there is room for, whenever there is some.

    Parameters
    ----------
    group
        Where its task runs.
    room
        How many messages may be leased now.
    changed
        Set by others when `room` may have grown.
    take
        Gets each message.
    on_lost
        Called with the error when the broker is gone for good.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        consumer: Consumer,
        *,
        room: Callable[[], int],
        changed: asyncio.Event,
        take: Callable[[Delivery], None],
        on_lost: Callable[[BrokerError], None],
    ) -> None:
        self._group = group
        self._consumer = consumer
        self._room = room
        self._changed = changed
        self._take = take
        self._on_lost = on_lost
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, or go on."""
        self.stop()
        self._task = self._group.create_task(self._run())

    def stop(self) -> None:
        """Take nothing more until it is started again."""
        if self._task is not None:
            self._task.cancel()  # loses no message: see `Consumer.lease`

    async def close(self) -> None:
        """Take nothing more for good; what was leased and not taken goes back."""
        self.stop()
        await self._consumer.close()

    async def _run(self) -> None:
        try:
            while True:
                while (room := self._room()) < 1:
                    self._changed.clear()
                    await self._changed.wait()
                for delivery in await self._consumer.lease(room, LEASE_WAIT):
                    self._take(delivery)
        except BrokerError as error:
            self._on_lost(error)

"""What the pilot holds, and the renewal of its leases."""

from __future__ import annotations

import asyncio
import logging
import time

from ewms.core.errors import BrokerError
from ewms.pilot.holding import Holding

logger = logging.getLogger("ewms.pilot.lease")

_LOOKS_PER_LEASE = 12


class LeaseKeeper:
    """Renews every lease when a third of it is over at the latest, for as long as the message is held.

    Parameters
    ----------
    lease
        Length of a lease in seconds.
    """

    def __init__(self, lease: float) -> None:
        self._interval = lease / _LOOKS_PER_LEASE
        self._due_after = lease / 3 - self._interval
        self._renewed: dict[Holding, float] = {}
        self.changed = asyncio.Event()
        """Set whenever something was released."""

    def __len__(self) -> int:
        return len(self._renewed)

    @property
    def holdings(self) -> list[Holding]:
        """What is held, oldest first."""
        return list(self._renewed)

    def hold(self, holding: Holding) -> None:
        """Look after a message that was leased just now."""
        self._renewed[holding] = time.monotonic()

    def release(self, holding: Holding) -> None:
        """The message is acked, or given up. Idempotent."""
        self._renewed.pop(holding, None)
        self.changed.set()

    async def run(self) -> None:
        """Renew until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            now = time.monotonic()
            due = [holding for holding, since in self._renewed.items() if now - since >= self._due_after]
            await asyncio.gather(*(self._renew(holding) for holding in due))

    async def _renew(self, holding: Holding) -> None:
        asked = time.monotonic()
        try:
            await holding.delivery.renew()
        except BrokerError as error:  # whoever leases or publishes finds out whether it is gone for good
            logger.warning("renewal_failed message=%s error=%s", holding.message_id, error)
            return
        if holding in self._renewed:
            self._renewed[holding] = asked

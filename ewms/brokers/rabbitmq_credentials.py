"""Credentials at RabbitMQ: users with permissions of their own, made and deleted through the management API."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from urllib.parse import quote

from ewms.brokers._rabbitmq_guests import Guest, guest_of, prefix_of
from ewms.brokers._rabbitmq_management import Management
from ewms.brokers._rabbitmq_signals import EXCHANGE
from ewms.brokers._rabbitmq_url import RabbitmqAddress
from ewms.brokers.credentials import MAX_LIFETIME, CredentialIssuer, Grant
from ewms.brokers.urls import without_login

_SWEEP_SECONDS = 600.0
"""Between two looks for users whose time is over."""


class RabbitmqCredentials(CredentialIssuer):
    """Users of one virtual host, each with an exchange in and one out: see `ewms.brokers._rabbitmq_guests`.

    A user's time ends at the next sweep after it, because a server knows of no such time.

    Parameters
    ----------
    url
        Of the broker, as the service connects to it.
    management
        URL of the management API, without credentials.
    server
        URL of the broker as pilots and users reach it, without credentials; empty for the same as the service's.
    clock
        Seconds since 1970.
    """

    def __init__(self, url: str, management: str, server: str = "", clock: Callable[[], float] = time.time) -> None:
        self._server = server or without_login(url)
        self._management = Management(management, RabbitmqAddress.parse(url))
        self._clock = clock
        self._swept_at = 0.0

    async def issue(self, grant: Grant, lifetime: float) -> str:
        """As in the contract. The queues must be there."""
        await self._sweep()
        guest = guest_of(grant, int(self._clock() + min(lifetime, MAX_LIFETIME)) + 1)
        await self._lay(guest, grant)
        user, password = guest.user(secrets.token_bytes(8)), secrets.token_urlsafe(24)
        await self._management.make_user(user, password, guest.permissions(grant))
        scheme, _, rest = self._server.partition("://")
        return f"{scheme}://{quote(user, safe='')}:{password}@{rest}"

    async def revoke(self, workflow_id: str) -> None:
        """As in the contract."""
        prefix = prefix_of(workflow_id)
        await self._management.delete_users([user for user in await self._management.users() if user.startswith(prefix)])
        for exchange in await self._management.exchanges():
            if exchange.startswith(prefix):
                await self._management.delete_exchange(exchange)

    async def close(self) -> None:
        """Disconnect."""
        await self._management.close()

    async def _lay(self, guest: Guest, grant: Grant) -> None:
        """Make the ways that lead to and from a guest, where they are not there yet."""
        management = self._management
        await asyncio.gather(*(management.make_exchange(name) for name in (EXCHANGE, guest.way_in, guest.way_out)))
        await asyncio.gather(
            *(management.bind_queue(guest.way_out, queue) for queue in grant.publish),
            *(management.bind_exchange(guest.way_out, EXCHANGE, topic) for topic in grant.signal),
            *(management.bind_exchange(EXCHANGE, guest.way_in, topic) for topic in grant.hear),
        )

    async def _sweep(self) -> None:
        now = self._clock()
        if now < self._swept_at + _SWEEP_SECONDS:
            return
        self._swept_at = now
        guests = {user: Guest.of(user) for user in await self._management.users()}
        await self._management.delete_users(
            [user for user, guest in guests.items() if guest is not None and guest.expires < now]
        )

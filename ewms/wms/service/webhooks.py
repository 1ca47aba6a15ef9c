"""Calls webhooks from the outbox that the store is: each until it succeeds, or has failed for half a day."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from urllib.parse import urlsplit

from ewms.core.errors import Conflict
from ewms.core.query import Query
from ewms.core.service.delivery import Delivery
from ewms.stores.collections import DELIVERIES
from ewms.stores.store import Delete, Replace, Stored
from ewms.wms.service.state import ServiceState
from ewms.wms.service.webhook_calls import WebhookClient
from ewms.wms.service.webhook_secret import webhook_secret

_LOOK_SECONDS = 1.0
_AT_ONCE = 50
_PER_HOST = 4
_READ_AT_ONCE = 500
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 7200.0
_log = logging.getLogger("ewms.service")


def pause_after(failures: int) -> float:
    """Seconds until the next attempt."""
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (failures - 1))


class Webhooks:
    """One slow receiver delays its own calls alone.

    Parameters
    ----------
    state
        Of the service.
    client
        Calls; None for one with the service's secret.
    """

    def __init__(self, state: ServiceState, client: WebhookClient | None = None) -> None:
        self._state = state
        self._given = client
        self._hosts: Counter[str] = Counter()
        self._calls: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Call what is due, until the service ends."""
        webhooks = self._state.configuration.webhooks
        client = self._given or WebhookClient(webhook_secret(self._state.configuration), webhooks.allow)
        try:
            while not self._state.stopping.is_set():
                for stored in await self._due():
                    self._start(client, stored)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await self._state.stopping.wait()
        finally:
            for call in self._calls.values():
                call.cancel()
            await asyncio.gather(*self._calls.values(), return_exceptions=True)
            await client.close()

    async def _due(self) -> list[Stored]:
        query = Query.parse({"due": {"$lte": self._state.clock()}})
        page = await self._state.store.find(DELIVERIES, query, order=(("due", False),), limit=_READ_AT_ONCE)
        return page.items

    def _start(self, client: WebhookClient, stored: Stored) -> None:
        host = urlsplit(stored.body["url"]).netloc
        if stored.key in self._calls or len(self._calls) >= _AT_ONCE or self._hosts[host] >= _PER_HOST:
            return
        self._hosts[host] += 1
        call = self._calls[stored.key] = asyncio.create_task(self._deliver(client, stored))
        call.add_done_callback(lambda done: self._ended(stored.key, host, done))

    def _ended(self, key: str, host: str, call: asyncio.Task[None]) -> None:
        del self._calls[key]
        self._hosts[host] -= 1
        if not call.cancelled() and (error := call.exception()) is not None:
            _log.error("webhook_unsettled", extra={"delivery": key, "reason": str(error)})

    async def _deliver(self, client: WebhookClient, stored: Stored) -> None:
        delivery = Delivery.model_validate(stored.body)
        problem = await client.call(delivery, self._state.clock())
        failures = delivery.failures + 1
        is_last = failures >= self._state.configuration.webhooks.attempts
        result = "given_up" if problem and is_last else "failed" if problem else "sent"
        level = logging.WARNING if problem else logging.INFO
        facts = {"delivery": stored.key, "workflow_id": delivery.workflow_id, "url": delivery.url, "failures": failures}
        _log.log(level, "webhook_%s", result, extra=facts | ({"reason": problem} if problem else {}))
        if not problem or is_last:
            await self._state.store.write(Delete(collection=DELIVERIES, key=stored.key))
            return
        later = delivery.model_copy(update={"failures": failures, "due": self._state.clock() + pause_after(failures)})
        body = later.model_dump(mode="json")
        with contextlib.suppress(Conflict):  # another service on this store has called it too
            await self._state.store.write(Replace(collection=DELIVERIES, key=stored.key, version=stored.version, body=body))

"""Pulsar: experimental. Tried on `pulsar-lite` alone, a stand-in that knows a part of what Pulsar does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import pulsar
from pulsar.asyncio import Client, PulsarException

from ewms.brokers._pulsar_consumer import PulsarConsumer
from ewms.brokers._pulsar_url import PulsarAddress
from ewms.brokers.base import Broker, Capabilities, Consumer, Depth, Inspection
from ewms.brokers.mailbox import Mailbox
from ewms.brokers.urls import DEFAULT_PATIENCE
from ewms.core.errors import BrokerError, BrokerRejected, BrokerUnavailable, MessageTooLarge

logger = logging.getLogger("ewms.brokers.pulsar")

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Below the 5 MiB that servers take by default."""
_CONNECT_SECONDS = 4.0
_DRAIN_SECONDS = 0.5
"""Of silence, after which a queue is taken to be empty."""
_SUBSCRIPTION = "lease"
_PROBE = "ewms-probe"
_REFUSALS = {"AuthenticationError", "AuthorizationError", "TopicNotFound", "InvalidTopicName"}


class PulsarBroker(Broker):
    """A connection to Pulsar. One topic with one shared subscription is a queue; the connection is the lease.

    Short of the contract: Pulsar tells neither how many messages there are nor whether a topic is still the one that it was,
    except through its administrators' interface; a queue that does not exist is made by whoever uses it; a purge leaves
    leased messages alone.

    Parameters
    ----------
    url
        See `ewms.brokers._pulsar_url`.
    patience
        Seconds for which operations are tried again while the server is away; the client does so by itself.
    """

    def __init__(self, url: str, *, patience: float = DEFAULT_PATIENCE) -> None:
        self._address = PulsarAddress.parse(url)
        self._shown = self._address.shown
        self._patience = patience
        self._client: Any = None
        self._producers: dict[str, asyncio.Task[Any]] = {}
        self._consumers: set[PulsarConsumer] = set()

    async def connect(self) -> None:
        """Connect, within 5 seconds or with one clear error."""
        probe = self._new_client(_CONNECT_SECONDS)
        try:
            await self._told(_probe(probe, self._address.topic("non-persistent", _PROBE)))
        finally:
            await _close(probe)
        self._client = self._new_client(self._patience)
        self.capabilities = Capabilities(
            durable=True,
            multi_process=True,
            multi_host=not self._address.is_local,
            renewable_lease=False,
            max_message_bytes=MAX_MESSAGE_BYTES,
            redelivered_flag=True,
            drops_repeats=False,
            tells_depth=False,
        )

    async def close(self) -> None:
        """As in the contract."""
        for consumer in self._consumers:
            await consumer.close()
        client, self._client = self._client, None
        if client is not None:
            await _close(client)

    async def declare(self, queue: str, lease: float) -> str:
        """Make the subscription, without which nothing is kept. The identity is the name: Pulsar has no better one."""
        subscription = await self._subscribe(queue)
        await self._told(subscription.close())
        return self._address.topic("persistent", queue)

    async def delete(self, queue: str) -> None:
        """Drop what waits, and the subscription. The topic goes when the server clears up."""
        subscription = await self._drain(queue)
        with contextlib.suppress(BrokerError):  # others hold messages of it still
            await self._told(subscription.unsubscribe())
        await self._told(subscription.close())

    async def purge(self, queue: str) -> None:
        """Drop what waits; what is leased stays."""
        subscription = await self._drain(queue)
        await self._told(subscription.close())

    async def depth(self, queue: str) -> Depth:
        """Raise `BrokerRejected`: the server does not tell."""
        self._say_that_it_does_not_count()

    async def inspect(self, queue: str) -> Inspection:
        """Raise `BrokerRejected`: the server does not tell."""
        self._say_that_it_does_not_count()

    async def publish(self, queue: str, body: bytes, message_id: str) -> None:
        """As in the contract, but for repeats, which come twice."""
        if len(body) > MAX_MESSAGE_BYTES:
            raise MessageTooLarge(
                f"a message of {len(body)} bytes is above the limit of {MAX_MESSAGE_BYTES} bytes at {self._shown}; "
                "send the body by reference"
            )
        producer = await self._producer(self._address.topic("persistent", queue))
        await self._told(producer.send(body, properties={"id": message_id}))

    async def consumer(self, queue: str) -> Consumer:
        """As in the contract."""
        self._require_open()
        consumer = PulsarConsumer(queue, self._subscribe, self._require_open)
        self._consumers.add(consumer)
        return consumer

    async def signal(self, topic: str, body: bytes) -> None:
        """As in the contract."""
        if len(body) > MAX_MESSAGE_BYTES:
            logger.warning("signal_too_large topic=%s bytes=%d", topic, len(body))
            return
        with contextlib.suppress(BrokerError):
            producer = await self._producer(self._address.topic("non-persistent", topic))
            await self._told(producer.send(body))

    @asynccontextmanager
    async def signals(self, topic: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """As in the contract."""
        mailbox = Mailbox()
        self._require_open()
        name = f"ear-{os.urandom(6).hex()}"
        subscription = await self._told(self._client.subscribe(self._address.topic("non-persistent", topic), name))

        async def listen() -> None:
            with contextlib.suppress(PulsarException):  # closed
                while True:
                    message = await subscription.receive()
                    mailbox.put(message.data())
                    await subscription.acknowledge(message)

        listening = asyncio.create_task(listen())
        try:
            yield mailbox
        finally:
            listening.cancel()
            with contextlib.suppress(BrokerError):
                await self._told(subscription.close())

    def _require_open(self) -> None:
        if self._client is None:
            raise BrokerUnavailable(f"the connection to {self._shown} is closed")

    def _say_that_it_does_not_count(self) -> NoReturn:
        self._require_open()
        raise BrokerRejected(
            f"{self._shown} does not tell clients how many messages it holds; use `pulsar-admin topics stats`"
        )

    def _new_client(self, seconds: float) -> Any:
        token = self._address.token
        return Client(
            self._address.service,
            authentication=None if token is None else pulsar.AuthenticationToken(token),
            operation_timeout_seconds=max(1, int(seconds)),
            connection_timeout_ms=int(_CONNECT_SECONDS * 1000),
            logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, os.devnull),  # errors are raised as well
        )

    async def _producer(self, topic: str) -> Any:
        self._require_open()
        if topic not in self._producers:
            timeout = int(self._patience * 1000)
            creating = self._client.create_producer(
                topic, batching_enabled=False, send_timeout_millis=timeout, block_if_queue_full=False, max_pending_messages=0
            )
            self._producers[topic] = asyncio.ensure_future(creating)
        try:
            return await self._told(asyncio.shield(self._producers[topic]))
        except BrokerError:
            self._producers.pop(topic, None)
            raise

    async def _subscribe(self, queue: str) -> Any:
        self._require_open()
        return await self._told(
            self._client.subscribe(
                self._address.topic("persistent", queue),
                _SUBSCRIPTION,
                consumer_type=pulsar.ConsumerType.Shared,
                initial_position=pulsar.InitialPosition.Earliest,
                receiver_queue_size=1,
                negative_ack_redelivery_delay_ms=0,
            )
        )

    async def _drain(self, queue: str) -> Any:
        """A subscription to a queue from which all that waited has been taken."""
        subscription = await self._subscribe(queue)
        while True:
            receiving = asyncio.create_task(subscription.receive())
            done, _ = await asyncio.wait({receiving}, timeout=_DRAIN_SECONDS)
            if not done:
                receiving.add_done_callback(lambda task: task.cancelled() or task.exception())
                return subscription
            await self._told(subscription.acknowledge(await self._told(receiving)))

    async def _told(self, asking: Awaitable[Any]) -> Any:
        """The answer, or what went wrong in words for users."""
        try:
            return await asking
        except PulsarException as error:
            name = error.error().name
            if name in _REFUSALS:
                raise BrokerRejected(
                    f"{self._shown} refuses: {name}; check token, tenant, namespace and permissions"
                ) from error
            raise BrokerUnavailable(
                f"no Pulsar server answers at {self._shown} ({name}); check the address and that the server runs"
            ) from error


async def _probe(client: Any, topic: str) -> None:
    producer = await client.create_producer(topic)
    await producer.close()


async def _close(client: Any) -> None:
    with contextlib.suppress(PulsarException):
        await client.close()

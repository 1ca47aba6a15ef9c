"""NATS JetStream: the broker of choice, embedded or shared."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
from nats.aio.msg import Msg

from ewms.brokers._nats_batch import Batches, groups
from ewms.brokers._nats_connection import Connection
from ewms.brokers._nats_consumer import NatsConsumer
from ewms.brokers._nats_errors import Refused
from ewms.brokers._nats_jetstream import JetStream, consumer_settings, signal_subject, stream_settings
from ewms.brokers._nats_url import NatsAddress
from ewms.brokers.base import Broker, Capabilities, Consumer, Depth, Inspection, Message
from ewms.brokers.mailbox import Mailbox
from ewms.brokers.urls import DEFAULT_PATIENCE
from ewms.core.errors import MessageTooLarge

logger = logging.getLogger("ewms.brokers.nats")

_CHECK_SECONDS = 0.9
_HEADER_ROOM = 2048
"""Bytes of a message that headers and addresses may take."""


class _StreamState(msgspec.Struct):
    messages: int


class _Stream(msgspec.Struct):
    created: str
    state: _StreamState


class _ConsumerState(msgspec.Struct):
    num_ack_pending: int
    num_redelivered: int = 0
    num_waiting: int = 0


class NatsBroker(Broker):
    """A connection to a NATS server or cluster with JetStream.

    A server that is killed keeps every confirmed message, but forgets the leases and acks of its last tenths of a second:
    such messages come once more, and are not flagged as redelivered.

    Parameters
    ----------
    url
        See `ewms.brokers._nats_url`.
    patience
        Seconds for which operations are tried again while the server is away.
    """

    def __init__(self, url: str, *, patience: float = DEFAULT_PATIENCE) -> None:
        self._address = NatsAddress.parse(url)
        self._connection = Connection(self._address, patience)
        self._jetstream = JetStream(self._connection)
        self._batches = Batches(self._connection)
        self._consumers: set[NatsConsumer] = set()

    async def connect(self) -> None:
        """Connect, within 5 seconds or with one clear error."""
        try:
            await self._connection.open()
            if not self._address.is_issued:  # whoever issues credentials asked before
                await self._jetstream.check(asyncio.get_running_loop().time() + _CHECK_SECONDS)
        except BaseException:
            await self._connection.close()
            raise
        self.capabilities = Capabilities(
            durable=True,
            multi_process=True,
            multi_host=not self._address.is_local,
            renewable_lease=True,
            max_message_bytes=self._connection.max_payload - _HEADER_ROOM,
            redelivered_flag=True,
        )

    async def close(self) -> None:
        """Give back what consumers hold, send what is written, disconnect. Idempotent."""
        for consumer in list(self._consumers):
            await consumer.close()
        await self._connection.close()

    async def declare(self, queue: str, lease: float) -> str:
        """As in the contract. The identity is the time at which the server made the stream."""
        try:
            answer = await self._jetstream.manage_stream("CREATE", queue, stream_settings(queue, self._address.replicas))
        except Refused as refusal:
            if not refusal.error.is_other_configuration:  # made by another version of ewms, or by an administrator
                raise
            answer = await self._jetstream.manage_stream("INFO", queue)
        await self._jetstream.manage_consumer("CREATE", queue, consumer_settings(queue, lease))
        return msgspec.json.decode(answer, type=_Stream).created

    async def delete(self, queue: str) -> None:
        """As in the contract."""
        try:
            await self._jetstream.manage_stream("DELETE", queue)
        except Refused as refusal:
            if not refusal.error.is_missing:
                raise

    async def purge(self, queue: str) -> None:
        """As in the contract."""
        await self._jetstream.manage_stream("PURGE", queue)

    async def depth(self, queue: str) -> Depth:
        """As in the contract. A message whose lease has run out counts as leased until somebody takes it."""
        found = await self.inspect(queue)
        return Depth(ready=found.ready, leased=found.leased)

    async def inspect(self, queue: str) -> Inspection:
        """As in the contract. A consumer is counted while it asks for messages, not while it works on them."""
        # The sum comes from the stream: the consumer's own count of what is ready lags behind confirmed publishes.
        stream, consumer = await asyncio.gather(
            self._jetstream.manage_stream("INFO", queue), self._jetstream.manage_consumer("INFO", queue)
        )
        total = msgspec.json.decode(stream, type=_Stream).state.messages
        state = msgspec.json.decode(consumer, type=_ConsumerState)
        leased = min(total, state.num_ack_pending)
        return Inspection(
            ready=total - leased, leased=leased, consumers=state.num_waiting, redelivered=min(leased, state.num_redelivered)
        )

    async def publish(self, queue: str, body: bytes, message_id: str) -> None:
        """As in the contract."""
        limit = self.capabilities.max_message_bytes
        if len(body) > limit:
            raise MessageTooLarge(
                f"a message of {len(body)} bytes is above the limit of {limit} bytes at {self._address.shown}; "
                "raise its max_payload or send the body by reference"
            )
        await self._jetstream.publish(queue, body, message_id)

    async def publish_all(self, queue: str, messages: Sequence[Message]) -> None:
        """As in the contract. Many small messages are synced together."""
        limit = self.capabilities.max_message_bytes
        for group in groups(messages):
            fits = all(len(message.body) <= limit for message in group)
            if not (fits and await self._batches.store(queue, group)):
                await super().publish_all(queue, group)

    async def consumer(self, queue: str) -> Consumer:
        """As in the contract."""
        consumer = NatsConsumer(self._connection, self._jetstream, queue, self._consumers.discard)
        self._consumers.add(consumer)
        return consumer

    async def signal(self, topic: str, body: bytes) -> None:
        """As in the contract."""
        if len(body) > self.capabilities.max_message_bytes:
            logger.warning("signal_too_large topic=%s bytes=%d", topic, len(body))
            return
        await self._connection.shout(signal_subject(topic), body)

    @asynccontextmanager
    async def signals(self, topic: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """As in the contract."""
        mailbox = Mailbox()

        def deliver(message: Msg) -> None:
            mailbox.put(message.data)

        subscription = await self._connection.subscribe(signal_subject(topic), deliver)
        try:
            await self._connection.settle()
            yield mailbox
        finally:
            self._connection.retire(subscription)

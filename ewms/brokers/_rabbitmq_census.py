"""How many messages are leased: RabbitMQ does not tell over AMQP, so those who hold them are asked.

Whoever counts sends a question to all connections that lease from the queue, and hears from each how many messages it holds.
The server knows how many consumers there are; when all are accounted for, the count is complete. A consumer that keeps
silent for a second is taken to hold one message. In the same way holders are told to drop what they hold: the server's own
purge leaves leased messages alone, and a queue that is deleted and made anew loses its consumers without their knowledge.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

import msgspec
from aiormq.abc import AbstractChannel, ConsumerCallback, DeliveredMessage
from pamqp.commands import Basic

from ewms.brokers._rabbitmq_connection import Connection, detached
from ewms.brokers._rabbitmq_consumer import RabbitmqConsumer
from ewms.brokers._rabbitmq_errors import Lost, Refused
from ewms.brokers._rabbitmq_signals import EXCHANGE, Ear, Voice

_ANSWER_SECONDS = 1.0
_LATE_SECONDS = 0.02
"""For those who hold messages without being consumers any more."""
_REPLY_TO = "amq.rabbitmq.reply-to"
"""Where the server takes answers without a queue being made for them."""


class _Question(msgspec.Struct):
    queue: str
    drop: bool


class Tally(msgspec.Struct):
    """What consumers of a queue hold."""

    consumers: int = 0
    """Those that the server counts."""
    held: int = 0
    """Messages."""
    held_again: int = 0
    """Those of them that were delivered before."""

    def add(self, other: Tally) -> None:
        """Count others in."""
        self.consumers += other.consumers
        self.held += other.held
        self.held_again += other.held_again

    def presume(self, consumers: int) -> None:
        """Complete to this number of consumers: each that has kept silent holds one message."""
        silent = max(0, consumers - self.consumers)
        self.add(Tally(consumers=silent, held=silent))


_decode_tally = msgspec.json.Decoder(Tally).decode
_decode_question = msgspec.json.Decoder(_Question).decode


class Census:
    """Answers for the consumers of one broker connection, and asks those of all.

    Parameters
    ----------
    consumers
        The connection's own; may change.
    """

    def __init__(self, connection: Connection, voice: Voice, consumers: Iterable[RabbitmqConsumer]) -> None:
        self._connection = connection
        self._voice = voice
        self._consumers = consumers
        self._ear = Ear(connection, self._on_question)
        self._queues: set[str] = set()

    async def answer_for(self, queue: str) -> None:
        """Answer questions about a queue from now on."""
        if queue not in self._queues:
            await self._ear.open(_topic(queue))
            self._queues.add(queue)

    async def count(self, queue: str, expected: int, *, drop: bool = False) -> Tally:
        """Ask all.

        Parameters
        ----------
        expected
            How many consumers the server counts.
        drop
            Have them make the server forget what they hold.
        """
        total = Tally()
        complete = asyncio.Event()

        async def add(message: DeliveredMessage) -> None:
            total.add(_decode_tally(message.body))
            if total.consumers >= expected:
                complete.set()

        if not self._connection.is_blocked:
            with contextlib.suppress(Lost, Refused):
                channel = await self._connection.channel(asyncio.get_running_loop().time() + self._connection.patience)
                await detached(_ask(channel, _Question(queue, drop), add), channel)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_ANSWER_SECONDS if expected else _LATE_SECONDS):
                        await complete.wait()
                await asyncio.sleep(_LATE_SECONDS)
                await detached(channel.close(), channel)
        return total

    def _on_question(self, message: DeliveredMessage) -> None:
        question = _decode_question(message.body)
        asked = [consumer for consumer in self._consumers if consumer.queue == question.queue]
        if asked:
            self._connection.spawn(self._answer(asked, question, message.header.properties.reply_to or ""))

    async def _answer(self, asked: list[RabbitmqConsumer], question: _Question, reply_to: str) -> None:
        tally = Tally()
        for consumer in asked:
            if question.drop:
                await consumer.drop()
            tally.add(Tally(consumer.consumers, consumer.held, consumer.held_again))
        await self._voice.say(reply_to, msgspec.json.encode(tally), exchange="")


async def _ask(channel: AbstractChannel, question: _Question, on_answer: ConsumerCallback) -> None:
    await channel.basic_consume(_REPLY_TO, on_answer, no_ack=True)
    await channel.basic_publish(
        msgspec.json.encode(question),
        exchange=EXCHANGE,
        routing_key=_topic(question.queue),
        properties=Basic.Properties(reply_to=_REPLY_TO),
    )


def _topic(queue: str) -> str:
    return f"census {queue}"

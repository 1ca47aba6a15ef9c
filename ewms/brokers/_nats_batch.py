"""Many small messages made durable together, by JetStream's atomic batches.

A server that syncs every write needs about as much time for one message as for a hundred in a batch. A batch is only tried:
whatever becomes of it, each of its messages may be published by itself afterwards, because the server drops ids that it has.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence

import msgspec

from ewms.brokers._nats_connection import Connection
from ewms.brokers._nats_jetstream import error_of, queue_subject
from ewms.brokers.base import Message

LEAST = 32
"""Messages below which a batch, which takes four writes to be synced, costs more than they do."""
_MOST = 500
"""The server's limit is 1000."""
_MOST_BYTES = 1 << 20
_BATCHES_DISABLED = 10174
_ANSWER_SECONDS = 5.0
"""After which the messages are published one by one; a server forgets an unfinished batch after 10 s."""


class _Answer(msgspec.Struct):
    count: int = 0
    """Messages that were stored; servers before 2.12 know of no batches, and store what is sent one by one."""


_decode = msgspec.json.Decoder(_Answer).decode


def groups(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    """The messages in groups that can be a batch each."""
    start, size = 0, 0
    for end, message in enumerate(messages):
        if end - start == _MOST or (size + len(message.body) > _MOST_BYTES and end > start):
            yield messages[start:end]
            start, size = end, 0
        size += len(message.body)
    if start < len(messages):
        yield messages[start:]


class Batches:
    """Stores batches over a connection, in queues that take any."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._refusing: set[str] = set()

    async def store(self, queue: str, messages: Sequence[Message]) -> bool:
        """Whether all messages are on disk now; otherwise it is unknown which."""
        if len(messages) < LEAST or queue in self._refusing:
            return False
        subject, batch = queue_subject(queue), uuid.uuid4().hex
        try:
            # Without a reply subject nothing is answered: the last message tells what became of all.
            for number, message in enumerate(messages[:-1], start=1):
                await self._connection.tell(subject, message.body, headers=_headers(batch, number, message))
            last = {**_headers(batch, len(messages), messages[-1]), "Nats-Batch-Commit": "1"}
            reply = await self._connection.ask_once(subject, messages[-1].body, last, _ANSWER_SECONDS)
        except (ConnectionError, TimeoutError):
            return False
        error = error_of(reply)
        if error is None and _decode(reply.data).count == len(messages):
            return True
        if error is None or error.err_code == _BATCHES_DISABLED:
            self._refusing.add(queue)
        return False


def _headers(batch: str, number: int, message: Message) -> dict[str, str]:
    return {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number), "Nats-Msg-Id": message.message_id}

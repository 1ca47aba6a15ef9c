"""JetStream as far as queues need it: names, settings, and requests whose answers are checked.

A queue is one stream (work-queue retention, on disk) with one durable pull consumer, which all pilots share.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from typing import Any

import msgspec
from nats.aio.msg import Msg

from ewms.brokers._nats_connection import Connection
from ewms.brokers._nats_errors import ApiError, PermissionMissing, Refused, no_jetstream
from ewms.core.errors import BrokerUnavailable

DUPLICATE_SECONDS = 120
CONSUMER = "lease"
QUEUES = "ewms.queue"
"""Subjects of queues begin so."""
SIGNALS = "ewms.signal"
"""Subjects of signals begin so."""
_RETRY_SECONDS = 0.2
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_NAME = 160
_NS = 1_000_000_000


class _Answer(msgspec.Struct):
    error: ApiError | None = None


_decode_answer = msgspec.json.Decoder(_Answer).decode


def stream_name(queue: str) -> str:
    """A queue's stream: its name, and a digest where that has other characters than JetStream allows."""
    name = _UNSAFE.sub("_", queue)[:_LONGEST_NAME]
    return name if name == queue else f"{name}-{hashlib.sha256(queue.encode()).hexdigest()[:10]}"


def queue_subject(queue: str) -> str:
    """Where messages of a queue are published."""
    return f"{QUEUES}.{stream_name(queue)}"


def signal_subject(topic: str) -> str:
    """Where signals of a topic are published."""
    return f"{SIGNALS}.{stream_name(topic)}"


def stream_settings(queue: str, replicas: int) -> dict[str, Any]:
    """For `STREAM.CREATE`."""
    return {
        "name": stream_name(queue),
        "subjects": [queue_subject(queue)],
        "retention": "workqueue",
        "storage": "file",
        "discard": "new",
        "num_replicas": replicas,
        "duplicate_window": DUPLICATE_SECONDS * _NS,
        "allow_atomic": True,  # of no effect before 2.12
    }


def consumer_settings(queue: str, lease: float) -> dict[str, Any]:
    """For `CONSUMER.CREATE`. The server's default limits would stop delivery with many pilots or many failures."""
    config = {
        "durable_name": CONSUMER,
        "deliver_policy": "all",
        "ack_policy": "explicit",
        "ack_wait": int(lease * _NS),
        "max_deliver": -1,
        "max_ack_pending": -1,
        "max_waiting": 1_000_000,
        "replay_policy": "instant",
    }
    return {"stream_name": stream_name(queue), "config": config}


class JetStream:
    """Requests over a connection, tried again while the trouble may pass."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def check(self, deadline: float) -> None:
        """Raise `BrokerRejected` if there is no JetStream; `BrokerUnavailable` at the deadline (loop time)."""
        try:
            reply = await self._connection.request("$JS.API.INFO", deadline=deadline)
        except PermissionMissing:  # a pilot's user need not be allowed to ask
            return
        error = error_of(reply)
        if error is not None and (error.is_disabled or error.is_silence):
            raise no_jetstream(self._connection.shown)

    async def manage_stream(self, verb: str, queue: str, settings: dict[str, Any] | None = None) -> bytes:
        """The answer to `STREAM.<verb>`, or `Refused`."""
        body = b"" if settings is None else msgspec.json.encode(settings)
        return await self._call(queue, f"$JS.API.STREAM.{verb}.{stream_name(queue)}", body)

    async def manage_consumer(self, verb: str, queue: str, settings: dict[str, Any] | None = None) -> bytes:
        """The answer to `CONSUMER.<verb>`, or `Refused`."""
        body = b"" if settings is None else msgspec.json.encode(settings)
        return await self._call(queue, f"$JS.API.CONSUMER.{verb}.{stream_name(queue)}.{CONSUMER}", body)

    async def publish(self, queue: str, body: bytes, message_id: str) -> None:
        """Return when the message is on disk, or was there already; `Refused` otherwise."""
        await self._call(queue, queue_subject(queue), body, {"Nats-Msg-Id": message_id})

    async def require(self, queue: str) -> None:
        """Raise `Refused` if there is no such queue. A user who may not ask learns nothing."""
        with contextlib.suppress(PermissionMissing):
            await self.manage_consumer("INFO", queue)

    async def _call(self, queue: str, subject: str, body: bytes, headers: dict[str, str] | None = None) -> bytes:
        loop = asyncio.get_running_loop()
        shown = self._connection.shown
        deadline = loop.time() + self._connection.patience
        while True:
            reply = await self._connection.request(subject, body, headers, deadline=deadline)
            error = error_of(reply)
            if error is None:
                return reply.data
            is_publish = headers is not None
            if error.is_disabled or (error.is_silence and not is_publish):
                raise no_jetstream(shown)
            if error.is_silence:  # no stream takes the message, or its server is starting
                await self.require(queue)
            elif not error.is_passing:
                raise Refused(error, queue, shown)
            if loop.time() >= deadline:
                raise BrokerUnavailable(f"{shown} cannot serve queue {queue}: {error.description}; see the server's log")
            await asyncio.sleep(_RETRY_SECONDS)


def error_of(reply: Msg) -> ApiError | None:
    """What the server complains of in its answer to a request; None for success."""
    if reply.headers is not None and reply.headers.get("Status") == "503":
        return ApiError(code=503, description="nobody listens")
    if b'"error"' not in reply.data:
        return None
    return _decode_answer(reply.data).error

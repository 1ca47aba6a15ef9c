"""How a driver host and an application's process talk: one question at a time, each a frame on a pipe."""

from __future__ import annotations

import struct
from typing import Any, Protocol

import msgspec

from ewms.core import codecs
from ewms.core.codecs import Payload

_HEAD = struct.Struct(">Q")


class Stream(Protocol):
    """A pipe, buffered."""

    def read(self, size: int, /) -> bytes:
        """So many bytes, or fewer at the end."""

    def write(self, data: bytes, /) -> object:
        """All of them."""

    def flush(self) -> None:
        """Send what was written."""


class Question(msgspec.Struct, frozen=True, array_like=True):
    """A call of one method."""

    method: str
    """Its name in `Answers`."""
    argument: bytes = b""
    """What it takes, encoded."""


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What came of it."""

    value: bytes = b""
    """What it returned, encoded."""
    error: str = ""
    """Class of what it raised, among the errors of ewms."""
    message: str = ""
    """One line."""


class SentEvent(msgspec.Struct, frozen=True, array_like=True):
    """An event of the application's, its body encoded."""

    id: str
    """As in `Event`."""
    queue: str
    """As in `Event`."""
    headers: dict[str, str]
    """As in `Event`."""
    codec: str
    """Of the body."""
    data: bytes
    """The body."""


class Beginning(msgspec.Struct, frozen=True):
    """What the process is to load."""

    spec: dict[str, Any]
    """The workflow spec as plain data."""
    search_path: list[str]
    """Folders in which its modules are importable."""
    inputs: list[str]
    """Files and folders of input."""


class Loading(msgspec.Struct, frozen=True):
    """What it loaded."""

    spec: dict[str, Any]
    """The spec with the application's own tasks."""
    listens: bool
    """Whether outcomes matter to it."""


class Chunk(msgspec.Struct, frozen=True, array_like=True):
    """Some events of the source."""

    events: list[SentEvent]
    """In order."""
    is_last: bool
    """None comes after them."""


class SentOutcome(msgspec.Struct, frozen=True, array_like=True):
    """An outcome, its values encoded."""

    id: str
    """As in `Outcome`."""
    task: str
    """As in `Outcome`."""
    values: list[tuple[str, bytes]]
    """As in `Outcome`: codec and data of each."""
    many: bool
    """As in `Outcome`."""


def pack(value: Any) -> tuple[str, bytes]:
    """A body by the codec it calls for, arrays inside it included."""
    payload = codecs.encode(value, "msgpack")
    return payload.codec, payload.data


def unpack(codec: str, data: bytes) -> Any:
    """The inverse of `pack`."""
    return codecs.decode(*Payload(codec, data))


def write(stream: Stream, message: msgspec.Struct) -> None:
    """Send a frame; `OSError` where nobody reads any more."""
    body = msgspec.msgpack.encode(message)
    stream.write(_HEAD.pack(len(body)) + body)
    stream.flush()


def read(stream: Stream) -> bytes | None:
    """The next frame; None where the other side is gone."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    body = stream.read(size := _HEAD.unpack(head)[0])
    return body if len(body) == size else None

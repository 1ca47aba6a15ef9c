"""What the pilot and a worker tell each other: length-prefixed msgpack over a socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

import msgspec

from ewms.core.cost import Cost
from ewms.core.wire import Failure, Result

LENGTH_BYTES = 4
_BUFFER = 256 * 1024


class TaskInfo(msgspec.Struct, frozen=True, array_like=True):
    """What a worker needs to know of a task."""

    name: str
    """As in the messages."""
    python: str
    """Reference to the consumer."""
    codec: str
    """Codec of its results."""
    outputs: list[str]
    """Queues that it may name."""


class Setup(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The first frame to a worker."""

    tasks: list[TaskInfo]
    """All that it may be asked to do."""
    search_path: list[str]
    """Folders in which consumers are importable."""
    room: int
    """Bytes that one report can hold."""
    blob_url: str
    """Where large outputs go; empty means nowhere."""
    blob_threshold: int
    """Bytes above which they do."""
    environment: dict[str, str] = {}
    """Variables that were not known when the process was started."""


class Job(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A work message to be run."""

    body: bytes
    """As it came from the broker."""
    positions: list[int] | None = None
    """Which of its events to run, in that order; None means all."""
    singly: bool = False
    """No batches: one event at a time, each with a timeout of its own."""


class Chunk(msgspec.Struct, frozen=True, array_like=True, tag="chunk"):
    """Outcomes of the next events of a job, as a worker writes it."""

    done: int
    """How many events."""
    busy: float
    """Seconds that they took."""
    results: list[Result]
    """Successful attempts."""
    failures: list[Failure]
    """The others."""
    cost: Cost
    """Of all of them together."""


class RawChunk(msgspec.Struct, frozen=True, array_like=True, tag="chunk"):
    """`Chunk` as the pilot reads it: results stay as they were encoded."""

    done: int
    """How many events."""
    busy: float
    """Seconds that they took."""
    results: msgspec.Raw
    """An encoded `list[Result]`."""
    failures: list[Failure]
    """The others."""
    cost: Cost = msgspec.field(default_factory=Cost)
    """Of all of them together."""


class Broken(msgspec.Struct, frozen=True, array_like=True, tag="broken"):
    """The job's consumer cannot be used at all."""

    reason: str
    """One line that says what to do."""


encode = msgspec.msgpack.Encoder().encode
decode_for_worker = msgspec.msgpack.Decoder(Setup | Job).decode
decode_for_pilot = msgspec.msgpack.Decoder(RawChunk | Broken).decode


def encode_results(results: list[Result]) -> msgspec.Raw:
    """Results as `RawChunk` holds them."""
    return msgspec.Raw(encode(results))


NO_RESULTS = encode_results([])


def pack(message: Setup | Job | Chunk | Broken) -> bytes:
    """A frame, ready to be sent."""
    data = encode(message)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def receive(channel: socket.socket) -> Iterator[Setup | Job]:
    """Frames until the pilot closes its end."""
    with channel.makefile("rb", buffering=_BUFFER) as stream:
        while len(head := stream.read(LENGTH_BYTES)) == LENGTH_BYTES:
            yield decode_for_worker(stream.read(int.from_bytes(head, "big")))


def array_head(data: bytes | memoryview) -> tuple[int, int]:
    """Number of elements of an encoded msgpack array, and bytes before the first."""
    match data[0]:
        case 0xDC:
            return int.from_bytes(data[1:3], "big"), 3
        case 0xDD:
            return int.from_bytes(data[1:5], "big"), 5
        case first:
            return first & 0x0F, 1


def join_arrays(arrays: Sequence[msgspec.Raw]) -> msgspec.Raw:
    """One encoded array out of several, without decoding any element."""
    if len(arrays) == 1:
        return arrays[0]
    total, pieces = 0, []
    for array in arrays:
        view = memoryview(array)
        count, offset = array_head(view)
        total += count
        pieces.append(view[offset:])
    return msgspec.Raw(b"".join([b"\xdd", total.to_bytes(4, "big"), *pieces]))

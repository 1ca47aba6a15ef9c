"""From what a consumer returns to what goes on the wire."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import msgspec

from ewms.core import codecs
from ewms.core.errors import PayloadError
from ewms.core.event import Output
from ewms.core.wire import WireOutput

if TYPE_CHECKING:
    from ewms.blobs import BlobStore

_OUTPUT_BYTES = 24
"""What an output adds to a report beside its data, roughly."""
_WORTH_A_BLOB = 1024
"""Where many outputs do not fit together, those above this size go by reference."""


class Packed(msgspec.Struct, frozen=True, gc=False):
    """Encoded outputs of one event."""

    outputs: list[WireOutput]
    """None, one or many."""
    many: bool
    """They were yielded."""
    size: int
    """Bytes that they take in a report, roughly."""


_NOTHING = Packed([], False, 0)


class Packer:
    """Encodes what the consumer of one task returns: None is no output, an iterator many, anything else one.

    Parameters
    ----------
    codec
        Codec of values that are neither bytes nor arrays.
    queues
        Names that an `Output` may carry.
    room
        Bytes that one report can hold.
    blob_url, blob_threshold
        Where outputs above how many bytes go by reference; an empty URL means nowhere.
    """

    def __init__(self, codec: str, queues: Collection[str], room: int, blob_url: str, blob_threshold: int) -> None:
        self._codec = codec
        self._queues = frozenset(queues)
        self._room = room
        self._blobs = _store(blob_url, blob_threshold)
        self._small_blobs = _store(blob_url, min(blob_threshold, _WORTH_A_BLOB))

    def pack(self, returned: Any) -> Packed:
        """The outputs; `PayloadError` for a value that does not fit, a foreign queue or too much data."""
        if returned is None:
            return _NOTHING
        is_plain = type(returned) in codecs.PLAIN
        if many := not is_plain and hasattr(type(returned), "__next__"):
            outputs = [self._encode(value) for value in returned]
            size = _size(outputs)
        else:
            output = self._encode_body(returned) if is_plain else self._encode(returned)
            outputs, size = [output], len(output.data) + len(output.queue) + _OUTPUT_BYTES
        if size > self._room:
            outputs = self._squeeze(outputs, size)
            size = _size(outputs)
        return Packed(outputs, many, size)

    def _encode(self, value: Any) -> WireOutput:
        queue = ""
        if isinstance(value, Output):
            value, queue = value.value, value.queue
            if queue and queue not in self._queues:
                known = ", ".join(sorted(self._queues)) or "none"
                raise PayloadError(f"queue '{queue}' is no output of this task; outputs are: {known}")
        return self._encode_body(value, queue)

    def _encode_body(self, value: Any, queue: str = "") -> WireOutput:
        payload = codecs.encode(value, self._codec)
        if self._blobs is not None and len(payload.data) > self._blobs.threshold:
            payload = self._blobs.shrink(payload)
        codec, data = payload
        return WireOutput(codec, data, queue)

    def _squeeze(self, outputs: list[WireOutput], size: int) -> list[WireOutput]:
        if self._small_blobs is None:
            raise PayloadError(
                f"the output has {size} bytes, more than the broker's limit of {self._room}; "
                "configure a blob store or return less"
            )
        smaller = [
            WireOutput(payload.codec, payload.data, output.queue)
            for output in outputs
            for payload in [self._small_blobs.shrink(codecs.Payload(output.codec, output.data))]
        ]
        if _size(smaller) > self._room:
            raise PayloadError(f"{len(outputs)} outputs of one event are too many for one message; split the event")
        return smaller


def _size(outputs: list[WireOutput]) -> int:
    return sum(len(output.data) + len(output.queue) + _OUTPUT_BYTES for output in outputs)


def _store(url: str, threshold: int) -> BlobStore | None:
    if not url:
        return None
    from ewms.blobs import BlobStore

    return BlobStore(url, threshold)

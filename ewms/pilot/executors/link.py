"""The pilot's end of the socket to a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import msgspec

from ewms.pilot.worker.frames import LENGTH_BYTES, Broken, RawChunk, decode_for_pilot

Frame = RawChunk | Broken


class Link(asyncio.Protocol):
    """Cuts the stream into frames and hands them on; a stream that is none of ours is cut off."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self.on_frame: Callable[[Frame], None] | None = None
        """Who takes the frames at present."""
        self.on_lost: Callable[[], object] | None = None
        """Called when the other end is closed."""
        self.lost = asyncio.Event()
        """The other end is closed and everything it sent was handed on."""

    def send(self, frame: bytes) -> None:
        """Send a packed frame; lost if the other end is closed."""
        if self._transport is not None:
            self._transport.write(frame)

    def close(self) -> None:
        """Close this end: the worker ends when it is idle."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._transport = None
        self.lost.set()
        if self.on_lost is not None:
            self.on_lost()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._buffer += data
        while (frame := self._next_frame()) is not None:
            try:
                decoded = decode_for_pilot(frame)
            except msgspec.MsgspecError:
                self.close()  # a task wrote to a descriptor that is not its own
                return
            if self.on_frame is not None:
                self.on_frame(decoded)

    def _next_frame(self) -> bytes | None:
        end = LENGTH_BYTES + int.from_bytes(self._buffer[:LENGTH_BYTES], "big")
        if len(self._buffer) < max(end, LENGTH_BYTES + 1):
            return None
        frame = bytes(self._buffer[LENGTH_BYTES:end])
        del self._buffer[:end]
        return frame

"""Lines to and from a container that is kept up."""

from __future__ import annotations

import asyncio
import os
from typing import Self

_LONGEST_LINE = 256 * 1024 * 1024


class Channel:
    """Two pipes, of which a container has the other ends. Made by `open`."""

    def __init__(
        self, outgoing: asyncio.WriteTransport, incoming: asyncio.BaseTransport, reader: asyncio.StreamReader
    ) -> None:
        self._outgoing = outgoing
        self._incoming = incoming
        self._reader = reader

    @classmethod
    async def open(cls) -> tuple[Self, int, int]:
        """New pipes; the ends that are to be a container's stdin and stdout, and to be closed here then."""
        loop = asyncio.get_running_loop()
        stdin, ours = os.pipe()
        theirs, stdout = os.pipe()
        reader = asyncio.StreamReader(limit=_LONGEST_LINE)
        incoming, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(theirs, "rb", 0))
        outgoing, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(ours, "wb", 0))
        return cls(outgoing, incoming, reader), stdin, stdout

    async def ask(self, line: bytes) -> bytes:
        """Send a line; the line that comes back, or less where the other end is gone.

        Raises `ValueError` for an answer of more than 256 MiB.
        """
        if not self._outgoing.is_closing():
            self._outgoing.write(line)
        return await self._reader.readline()

    def hush(self) -> None:
        """Tell the other end that nothing more will come. Idempotent."""
        self._outgoing.close()

    def close(self) -> None:
        """Close both pipes. Idempotent."""
        self._outgoing.close()
        self._incoming.close()

"""The last bytes of a stream, in bounded memory."""

from __future__ import annotations

KEPT = 64 * 1024
"""Bytes that a ring holds."""
SHOWN = 8 * 1024
"""Bytes of it that go into a report."""


class Ring:
    """Keeps the end of what is written to it."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> None:
        """Add to the end, forgetting the beginning where there is too much."""
        self._data += data[-KEPT:]
        if len(self._data) > 2 * KEPT:  # seldom, so that writing costs no more than copying
            del self._data[:-KEPT]

    def tail(self, size: int = SHOWN) -> str:
        """The last bytes as text, with a replacement character for what is no UTF-8."""
        return self._data[-size:].decode("utf-8", "replace")

    def clear(self) -> None:
        """Forget everything."""
        self._data.clear()

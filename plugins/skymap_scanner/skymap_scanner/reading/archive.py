"""IceTray's portable binary archive: little-endian fields behind class headers.

The first time a class is met, its header (u8 tracking, u8 version) stands before it; if it is tracked, each of its
occurrences has a u32 object id as well. Later occurrences of an untracked class have no header at all. Source:
`portable_binary_archive.rst` of icecube/icetray-public.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skymap_scanner.errors import EventError

_U8: Final = struct.Struct("<B")
_U16: Final = struct.Struct("<H")
_I16: Final = struct.Struct("<h")
_U32: Final = struct.Struct("<I")
_I32: Final = struct.Struct("<i")
_I64: Final = struct.Struct("<q")
_F64: Final = struct.Struct("<d")


class Archive:
    """A reader that moves through the bytes; every method raises `EventError` where they end too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self._classes: dict[str, tuple[bool, int]] = {}

    @property
    def position(self) -> int:
        """Where the next field starts."""
        return self._position

    def begin(self, name: str) -> int:
        """Read what stands before an object of a class.

        Returns
        -------
        The version of the class.
        """
        tracked, version = self.header(name)
        if tracked:
            self.u32()
        return version

    def header(self, name: str) -> tuple[bool, int]:
        """Read the header of a class if it is met for the first time.

        Returns
        -------
        Whether an object id stands before each of its objects, and the version of the class.
        """
        if name not in self._classes:
            tracking, version = self.u8(), self.u8()
            if tracking > 1:
                message = f"class {name} has tracking byte {tracking} at byte {self._position - 2}, not 0 or 1"
                raise EventError(message)
            self._classes[name] = (bool(tracking), version)
        return self._classes[name]

    def base(self) -> None:
        """Read the base class that every frame object starts with; it has no fields."""
        self.begin("I3FrameObject")

    def take(self, count: int) -> bytes:
        """The next bytes as they are."""
        start = self._advance(count)
        return self._data[start : start + count]

    def array(self, dtype: DTypeLike, count: int) -> NDArray[Any]:
        """The next `count` elements, (count,)."""
        layout = np.dtype(dtype)
        start = self._advance(count * layout.itemsize)
        return np.frombuffer(self._data, layout, count, start)

    def string(self) -> str:
        """Text behind its length."""
        return self.take(self.u32()).decode("utf-8", "replace")

    def count(self, what: str, most: int) -> int:
        """How many elements follow; `EventError` above a limit, as each may cost time though it has few bytes."""
        found = self.u32()
        if found > most:
            message = f"{found} {what} are claimed; at most {most} are read"
            raise EventError(message)
        return found

    def u8(self) -> int:
        """Unsigned, 1 byte."""
        return int(self._number(_U8))

    def u16(self) -> int:
        """Unsigned, 2 bytes."""
        return int(self._number(_U16))

    def i16(self) -> int:
        """Signed, 2 bytes."""
        return int(self._number(_I16))

    def u32(self) -> int:
        """Unsigned, 4 bytes."""
        return int(self._number(_U32))

    def i32(self) -> int:
        """Signed, 4 bytes."""
        return int(self._number(_I32))

    def i64(self) -> int:
        """Signed, 8 bytes."""
        return int(self._number(_I64))

    def f64(self) -> float:
        """IEEE double."""
        return float(self._number(_F64))

    def finish(self) -> None:
        """`EventError` if bytes are left: then the layout was not what we took it for."""
        left = len(self._data) - self._position
        if left:
            message = f"{left} bytes are left over at byte {self._position}"
            raise EventError(message)

    def _number(self, layout: struct.Struct) -> float:
        start = self._advance(layout.size)
        number: float = layout.unpack_from(self._data, start)[0]
        return number

    def _advance(self, count: int) -> int:
        start = self._position
        if count > len(self._data) - start:
            message = f"cut short: {count} bytes are wanted at byte {start} of {len(self._data)}"
            raise EventError(message)
        self._position = start + count
        return start

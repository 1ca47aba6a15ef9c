"""The frames of one event as they are packed into an alert.

Each is a pair: its stream, and the base64 text of the zlib-compressed pickle of an `I3Frame`.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator, Sequence, Set
from typing import Any

from skymap_scanner.errors import EventError
from skymap_scanner.reading import limits, mask, objects, pickled
from skymap_scanner.reading.frame import Frame, parse
from skymap_scanner.reading.pulsemap import PulseMap


class Packet:
    """All frames of an event; an object of a later frame hides that of the same name in an earlier one."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._bodies = {name: body for frame in frames for name, body in frame.objects.items()}
        self._decoded: dict[str, object | None] = {}
        self._series: dict[str, PulseMap] = {}

    @classmethod
    def of(cls, packed: Sequence[Any]) -> Packet:
        """Unpack pairs of stream and text.

        Raises
        ------
        EventError
            If one is malformed, damaged, or larger than `limits` allow.
        """
        if len(packed) > limits.MAX_FRAMES:
            message = f"the event has {len(packed)} frames; at most {limits.MAX_FRAMES} are read"
            raise EventError(message)
        room = limits.MAX_EVENT_BYTES
        frames = []
        for number, pair in enumerate(packed):
            try:
                data = _inflate(pair, min(room, limits.MAX_FRAME_BYTES))
                room -= len(data)
                frames.append(_frame(pair[0], data))
            except EventError as error:
                message = f"frame {number}: {error}"
                raise EventError(message) from error
        return cls(frames)

    @property
    def names(self) -> Set[str]:
        """Of all objects."""
        return self._bodies.keys()

    def of_class(self, name: str) -> Iterator[str]:
        """Names of the objects of a class."""
        return (key for key, body in self._bodies.items() if objects.class_name(body) == name)

    def get(self, name: str) -> object | None:
        """Decode an object, once.

        Returns
        -------
        See `skymap_scanner.reading.objects.decode`; None if there is no such object.

        Raises
        ------
        EventError
            If it is malformed.
        """
        if name not in self._decoded:
            try:
                self._decoded[name] = objects.decode(self._bodies[name]) if name in self._bodies else None
            except EventError as error:
                message = f"object {name}: {error}"
                raise EventError(message) from error
        return self._decoded[name]

    def pulses(self, name: str, depth: int = 0) -> PulseMap:
        """Pulses of a series; masks and unions are followed to their sources.

        Raises
        ------
        EventError
            If the series, or one it builds on, is missing, malformed or builds on itself.
        """
        if depth > limits.MAX_SOURCES:
            message = f"the masks of the pulses chain more than {limits.MAX_SOURCES} deep"
            raise EventError(message)
        if name not in self._series:  # kept, as many unions of unions would take for ever otherwise
            self._series[name] = self._resolve(name, depth)
        return self._series[name]

    def _resolve(self, name: str, depth: int) -> PulseMap:
        value = self.get(name)
        if isinstance(value, mask.Mask):
            return mask.apply(value, self.pulses(value.source, depth + 1))
        if isinstance(value, mask.Union):
            return mask.unite([self.pulses(source, depth + 1) for source in value.sources])
        if isinstance(value, PulseMap):
            return value
        message = f"object {name} is missing or holds no pulses"
        raise EventError(message)


def _inflate(pair: Any, most: int) -> bytes:
    match pair:
        case [str(), str() as text]:
            packed = text.encode("utf-8", "replace")
        case [str(), bytes() as packed]:
            pass
        case _:
            message = "it is not a pair of stream and text"
            raise EventError(message)
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(base64.b64decode(b"".join(packed.split()), validate=True), most + 1)
    except binascii.Error as error:
        message = f"its base64 text is malformed or cut short ({error})"
        raise EventError(message) from error
    except zlib.error as error:
        message = f"its compressed bytes are damaged ({error})"
        raise EventError(message) from error
    if len(data) > most:
        message = f"it inflates to more than {most} bytes"
        raise EventError(message)
    if not inflater.eof:
        message = "its compressed bytes are cut short"
        raise EventError(message)
    return data


def _frame(stream: str, data: bytes) -> Frame:
    frame = parse(pickled.frame_bytes(data))
    if frame.stream != stream:
        message = f"it says that it is {frame.stream!r}, the alert says {stream[:8]!r}"
        raise EventError(message)
    return frame

"""Frames: named objects behind one checksum, as IceTray writes them (`I3Frame.cxx` of icecube/icetray-public)."""

from __future__ import annotations

import binascii
import dataclasses
from collections.abc import Mapping

import google_crc32c

from skymap_scanner.errors import EventError
from skymap_scanner.reading.archive import Archive
from skymap_scanner.reading.limits import MAX_OBJECTS

TAG = b"[i3]"
"""What a frame starts with."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Frame:
    """One frame, its objects still encoded."""

    stream: str
    """`G`, `C`, `D` (the detector), `Q` (the read-out) or `P` (a part of it, with its reconstructions)."""
    objects: Mapping[str, bytes]
    """Body of each object by its name; see `skymap_scanner.reading.objects`."""


def parse(data: bytes) -> Frame:
    """Read a frame of version 5 or 6 and verify its checksum.

    Raises
    ------
    EventError
        If it is not a frame, is of another version, or was damaged.
    """
    archive = Archive(data)
    if archive.take(len(TAG)) != TAG:
        message = "a frame does not start with [i3]"
        raise EventError(message)
    version = archive.u32()
    if version not in _CHECKSUMS:
        message = f"frame version {version} is not supported (5 and 6 are); write the event again with a newer IceTray"
        raise EventError(message)
    archive.begin("I3Frame::Stream")
    start = archive.position
    stream = archive.take(1).decode("latin-1")
    objects = {}
    for _ in range(archive.count("objects", MAX_OBJECTS)):
        name = archive.string()
        archive.string()  # the type, which the body names too
        objects[name] = archive.take(archive.u32())
    found = _CHECKSUMS[version](data[start : archive.position])
    if archive.u32() != found:
        message = f"frame {stream} is damaged: its checksum does not match; fetch the event again"
        raise EventError(message)
    archive.finish()
    return Frame(stream=stream, objects=objects)


def _crc16(data: bytes) -> int:
    return binascii.crc_hqx(data, 0xFFFF)  # CRC-16-CCITT


def _crc32(data: bytes) -> int:
    """CRC-32C whose register starts at 0 and is not inverted at the end, unlike that of everybody else."""
    return int(google_crc32c.extend(0xFFFFFFFF, data)) ^ 0xFFFFFFFF


_CHECKSUMS = {5: _crc16, 6: _crc32}

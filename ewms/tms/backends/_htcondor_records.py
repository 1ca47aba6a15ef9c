"""Reading an event log of HTCondor, in its XML form, from where one stopped. A record that is damaged costs only itself."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import msgspec

logger = logging.getLogger("ewms.tms.htcondor")

MAX_BYTES = 1 << 20
"""Read at once from one log; the rest waits for the next time."""
_BEGIN, _END = b"<c>\n", b"\n</c>\n"
Value = str | int | bool


class Record(msgspec.Struct, frozen=True):
    """One event of a job or a cluster."""

    kind: int
    """`EventTypeNumber`, one of `htcondor2.JobEventType`."""
    cluster: int
    """`ClusterId`."""
    proc: int | None
    """`ProcId`; None where it is about the cluster."""
    time: float
    """On the access point's clock, seconds since 1970."""
    values: dict[str, Value]
    """Whatever else it says; what is nested is told by the innermost name."""


class Position(msgspec.Struct):
    """How far a log was read."""

    inode: int = 0
    """Of the file; another one means that the log was replaced."""
    offset: int = 0
    """Bytes read."""
    damaged: int = 0
    """Records that could not be read, in the log's whole life."""


def read(path: Path, position: Position) -> list[Record]:
    """The next records, `MAX_BYTES` of them at most; moves the position. None of a log that is not there."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_ino != position.inode or status.st_size < position.offset:
                position.inode, position.offset = status.st_ino, 0
            file.seek(position.offset)
            data = file.read(MAX_BYTES)
    except FileNotFoundError:
        return []
    end = data.rfind(_END)
    if end < 0:
        if len(data) == MAX_BYTES:  # no record is that long
            _note_damage(path, position)
            position.offset += len(data)
        return []
    end += len(_END)
    records = list(_records(path, data[:end], position))
    position.offset += end
    return records


def _records(path: Path, data: bytes, position: Position) -> Iterator[Record]:
    for text in data.split(_END):
        for piece in _pieces(text):
            try:
                yield _parse(piece + _END)
            except (ElementTree.ParseError, LookupError, ValueError):
                _note_damage(path, position)


def _pieces(text: bytes) -> list[bytes]:
    """One record; or two, where the end of the first was never written."""
    if not text.strip():
        return []
    begin = text.rfind(b"\n" + _BEGIN)
    return [text] if begin < 0 else [text[:begin], text[begin + 1 :]]


def _parse(text: bytes) -> Record:
    values = dict(_values(ElementTree.fromstring(text)))  # noqa: S314  our own schedd wrote it
    proc = values.get("Proc")
    return Record(
        kind=int(values["EventTypeNumber"]),
        cluster=int(values["Cluster"]),
        proc=None if proc is None else int(proc),
        time=datetime.fromisoformat(str(values["EventTime"])).timestamp(),
        values=values,
    )


def _values(ad: ElementTree.Element) -> Iterator[tuple[str, Value]]:
    for attribute in ad:
        (value,) = attribute
        match value.tag:
            case "c":
                yield from _values(value)
            case "b":
                yield attribute.attrib["n"], value.attrib["v"] == "t"
            case "i":
                yield attribute.attrib["n"], int(value.text or "")
            case _:
                yield attribute.attrib["n"], value.text or ""


def _note_damage(path: Path, position: Position) -> None:
    position.damaged += 1
    logger.warning("event_damaged log=%s after_byte=%d damaged=%d", path, position.offset, position.damaged)

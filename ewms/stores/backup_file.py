"""A store's content in a file of JSON lines, compressed or not."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from ewms.core.errors import InputError, StoreError
from ewms.stores.backup import FORMAT, AnyLine, End, Head, lines_of
from ewms.stores.store import Store

_COMPRESSED = ".gz"
_decode = msgspec.json.Decoder[AnyLine](AnyLine).decode
_encode = msgspec.json.Encoder().encode


async def write_file(store: Store, path: Path) -> int:
    """Write everything that a store holds into a new file for its owner alone; the number of lines.

    Parameters
    ----------
    path
        `.gz` at its end means compressed. It appears when it is whole and on the disk.

    Raises
    ------
    InputError
        The file is there already.
    StoreError
        It cannot be written.
    """
    count = 0
    with _new(path) as stream:
        async for line in lines_of(store):
            stream.write(_encode(line) + b"\n")
            count += 1
    return count


@contextmanager
def _new(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    if path.exists():
        raise InputError(f"{path} is there already; name a new file")
    draft = path.with_name(f"{path.name}.part")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
            if path.suffix == _COMPRESSED:
                with gzip.GzipFile(fileobj=raw, mode="wb") as stream:
                    yield stream
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        draft.rename(path)
    except OSError as error:
        raise StoreError(f"backup {path} cannot be written: {error.strerror}; name a file in a folder with room") from error
    finally:
        draft.unlink(missing_ok=True)


def read_file(path: Path) -> Iterator[AnyLine]:
    """The lines of a file.

    Raises
    ------
    InputError
        Behind the last line that is sound, if that is not the end.
    """
    number = 0
    line: AnyLine | None = None
    try:
        with gzip.open(path) if path.suffix == _COMPRESSED else path.open("rb") as stream:
            for number, text in enumerate(stream, start=1):
                line = _decode(text)
                if (number == 1) is not isinstance(line, Head) or (isinstance(line, Head) and line.format != FORMAT):
                    raise InputError(f"{path} is not a backup of a store in format {FORMAT}")
                yield line
    except (msgspec.MsgspecError, UnicodeDecodeError, zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise InputError(f"{path} is not a sound backup, at line {number}: {error}") from error
    except OSError as error:
        raise InputError(f"backup {path} cannot be read: {error.strerror}") from error
    if not isinstance(line, End) or line.lines != number - 1:
        raise InputError(f"{path} is cut off behind line {number}; use another backup")

"""Files on their way to a service: each content once, whoever needs it and under whatever name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ewms.client.connection import Connection
from ewms.client.package import digest

_CHUNK = 1 << 20
_ASKED_AT_ONCE = 1000

OnUpload = Callable[[int, int], None]
"""Told how many files of how many that were missing have been sent."""


def upload(
    connection: Connection, files: Mapping[str, Path], on_upload: OnUpload = lambda sent, missing: None
) -> dict[str, str]:
    """Send what the service has not yet; name to sha256 of all files.

    Raises
    ------
    InputError
        A file cannot be read, or the service takes none of this size.
    """
    digests = {name: digest(path) for name, path in files.items()}
    paths = {digests[name]: path for name, path in files.items()}
    missing = _missing(connection, list(paths))
    for number, sha256 in enumerate(missing):
        on_upload(number, len(missing))
        connection.send("PUT", f"/api/files/{sha256}", content=_Content(paths[sha256]), headers=_headers(paths[sha256]))
    if missing:
        on_upload(len(missing), len(missing))
    return digests


def _missing(connection: Connection, digests: list[str]) -> list[str]:
    found: list[str] = []
    for start in range(0, len(digests), _ASKED_AT_ONCE):
        found += connection.post("/api/files/missing", {"sha256": digests[start : start + _ASKED_AT_ONCE]})["missing"]
    return found


def _headers(path: Path) -> dict[str, str]:
    return {"Content-Type": "application/octet-stream", "Content-Length": str(path.stat().st_size)}


class _Content:
    """A file's content, as often as it has to be sent."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk

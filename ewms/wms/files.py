"""The contents of files, each once under its sha256, in a folder or at any fsspec URL."""

from __future__ import annotations

import copy
import hashlib
import os
import shutil
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from ewms.core.errors import InputError, StoreError
from ewms.core.service.files import PARTIAL, FileDocument

_CHUNK = 1 << 20


class Content(NamedTuple):
    """What a file holds, as it is referred to."""

    sha256: str
    """In hexadecimal digits."""
    size: int
    """Bytes."""


class Files:
    """Writes are atomic and idempotent; nothing is ever changed. Synchronous: for threads.

    Parameters
    ----------
    url
        A folder, or an fsspec URL such as `s3://bucket/folder`.

    Raises
    ------
    StoreError
        By every method, where the place cannot be reached or written.
    """

    def __init__(self, url: str) -> None:
        import fsspec

        try:
            self._filesystem, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise StoreError(
                f"files URL {url}: {error}; use a folder or an fsspec URL whose library is installed"
            ) from error

    def of_partials(self, workflow_id: str) -> Files:
        """The place of one workflow's partial products: what is in it is that workflow's alone, and may be removed."""
        return self._below(f"partial/{workflow_id}")

    def holding(self, file: FileDocument) -> Files:
        """Where the content of a workflow's file is."""
        return self.of_partials(file.workflow_id) if file.name.startswith(PARTIAL) else self

    def path(self, sha256: str) -> str:
        """Where a content lies, as this filesystem calls it."""
        return f"{self._root}/{sha256[:2]}/{sha256}"

    def local_path(self, sha256: str) -> Path | None:
        """The file that holds a content, where this machine's own filesystem keeps it and it is there."""
        path = Path(self.path(sha256))
        return path if "file" in self._filesystem.protocol and path.is_file() else None

    def put(self, data: bytes) -> Content:
        """Keep bytes."""
        content = Content(hashlib.sha256(data).hexdigest(), len(data))
        with self._writing(content.sha256) as stream:
            if stream is not None:
                stream.write(data)
        return content

    def put_file(self, path: Path) -> Content:
        """Keep a copy of a file."""
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as source:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
            source.seek(0)
            with self._writing(digest.hexdigest()) as stream:
                if stream is not None:
                    shutil.copyfileobj(source, stream, _CHUNK)
        return Content(digest.hexdigest(), size)

    def keep_only(self, digests: Collection[str]) -> None:
        """Remove everything but these contents; only in a place of partial products."""
        try:
            paths = [path for path in self._filesystem.find(self._root) if path.rpartition("/")[2] not in digests]
            for path in paths:
                self._filesystem.rm_file(path)
        except OSError as error:
            raise StoreError(f"the service's files cannot be removed: {error}") from error

    def _below(self, folder: str) -> Files:
        below = copy.copy(self)
        below._root = f"{self._root}/{folder}"
        return below

    @contextmanager
    def open(self, sha256: str) -> Iterator[IO[bytes]]:
        """Read a content; `InputError` where there is none."""
        try:
            with self._filesystem.open(self.path(sha256), "rb") as stream:
                yield stream
        except FileNotFoundError as error:
            raise InputError(f"the content {sha256} is gone from the service's files; upload it again") from error
        except OSError as error:
            raise StoreError(f"the service's files cannot be read: {error}") from error

    def fetch(self, sha256: str, path: Path) -> None:
        """Copy a content to a local file, checked; `InputError` where it is missing or damaged."""
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with self.open(sha256) as stream, path.open("wb") as target:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                target.write(chunk)
        if digest.hexdigest() != sha256:
            raise InputError(f"{path.name}: the content kept for it is damaged: its sha256 is not {sha256}; upload it again")

    @contextmanager
    def _writing(self, sha256: str) -> Iterator[Any]:
        """A stream to a content that takes its place when the block ends well; None where it is there already."""
        path = self.path(sha256)
        partial = f"{path}.{os.getpid()}.{threading.get_ident()}"
        try:
            if self._filesystem.exists(path):
                yield None
                return
            self._filesystem.makedirs(os.path.dirname(path), exist_ok=True)
            with self._filesystem.open(partial, "wb") as stream:
                yield stream
                stream.flush()
            self._filesystem.mv(partial, path)
        except OSError as error:
            raise StoreError(f"the service's files cannot be written: {error}") from error

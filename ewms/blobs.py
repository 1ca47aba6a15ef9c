"""Bodies too large for the broker, kept by content in a store on fsspec and passed by reference."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from typing import Any

import msgspec

from ewms.core import codecs
from ewms.core.codecs import REFERENCE_MARK, Payload
from ewms.core.errors import InputError, PayloadError

_DIGEST = re.compile(r"[0-9a-f]{64}")


class BlobRef(msgspec.Struct, frozen=True, array_like=True):
    """Where a body is and what it must be."""

    url: str
    """An fsspec URL or a plain path."""
    sha256: str
    """Hex digest of the content."""
    size: int
    """Bytes."""


class BlobStore:
    """A folder, local or at any fsspec URL, of files named by the sha256 of what they hold.

    Writes are atomic and idempotent: the same content twice is one file.
    """

    def __init__(self, url: str, threshold: int) -> None:
        self.url = url.rstrip("/")
        self.threshold = threshold
        """Payloads above this many bytes go by reference."""
        self._local = "://" not in self.url

    def shrink(self, payload: Payload) -> Payload:
        """The payload itself, or a reference to it when it is above the threshold."""
        codec, data = payload
        if len(data) <= self.threshold or codec.startswith(REFERENCE_MARK):
            return payload
        digest = hashlib.sha256(data).hexdigest()
        ref = BlobRef(url=self._place(digest), sha256=digest, size=len(data))
        self._write(ref, data)
        return Payload(REFERENCE_MARK + codec, msgspec.msgpack.encode(ref))

    def made(self, reference: bytes) -> bool:
        """Whether an encoded reference is one of this store's: it names no other place than its digest does."""
        try:
            ref = msgspec.msgpack.decode(reference, type=BlobRef)
        except msgspec.MsgspecError:
            return False
        return _DIGEST.fullmatch(ref.sha256) is not None and ref.url == self._place(ref.sha256)

    def _place(self, digest: str) -> str:
        return f"{self.url}/{digest[:2]}/{digest}"

    def _write(self, ref: BlobRef, data: bytes) -> None:
        if self._local:
            os.makedirs(os.path.dirname(ref.url), exist_ok=True)
            if os.path.exists(ref.url):
                return
            partial = f"{ref.url}.{os.getpid()}.{threading.get_ident()}"
            with open(partial, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(partial, ref.url)
            return
        import fsspec

        filesystem, path = fsspec.core.url_to_fs(ref.url)
        if not filesystem.exists(path):
            filesystem.makedirs(os.path.dirname(path), exist_ok=True)
            filesystem.pipe_file(path, data)


def fetch(ref: BlobRef) -> bytes:
    """The content behind a reference; `InputError` when it is missing or not what it was."""
    try:
        if "://" not in ref.url:
            with open(ref.url, "rb") as stream:
                data = stream.read(ref.size + 1)
        else:
            import fsspec

            with fsspec.open(ref.url, "rb") as stream:
                data = stream.read(ref.size + 1)
    except OSError as error:
        raise InputError(f"a body kept at {ref.url} cannot be read: {error}") from error
    if hashlib.sha256(data).hexdigest() != ref.sha256:
        raise InputError(f"the body kept at {ref.url} has changed: its sha256 is not {ref.sha256}")
    return data


def resolve(codec: str, data: bytes) -> Payload:
    """The payload itself, with a reference replaced by what it refers to."""
    if not codec.startswith(REFERENCE_MARK):
        return Payload(codec, data)
    try:
        ref = msgspec.msgpack.decode(data, type=BlobRef)
    except msgspec.MsgspecError as error:
        raise PayloadError(f"not a blob reference: {error}") from error
    return Payload(codec[1:], fetch(ref))


def load(codec: str, data: bytes) -> Any:
    """Decode a payload, fetching its content first where it is a reference."""
    return codecs.decode(*resolve(codec, data))

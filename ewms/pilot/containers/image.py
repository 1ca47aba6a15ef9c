"""Images as files and folders: what they are for, read without a tool; and a lock, so that one pilot alone fetches one."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import platform
import struct
import tarfile
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import pydantic_core

from ewms.core.errors import ConsumerError

_LOCK_LOOK_SECONDS = 0.2
_DOCKER_NAMES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "386", "armv7l": "arm"}
"""What docker calls machines, where that differs from what Linux calls them."""
_ELF_MACHINES = {3: "386", 40: "arm", 62: "amd64", 183: "arm64", 21: "ppc64le", 22: "s390x", 243: "riscv64"}
"""`e_machine` of the ELF header."""
_SIF_MACHINES = {"01": "386", "02": "amd64", "03": "arm", "04": "arm64", "06": "ppc64le", "12": "s390x"}
"""Architecture codes of the SIF header (github.com/apptainer/sif, `pkg/sif/arch.go`)."""
_SIF_HEADER = struct.Struct("32x10s3x3s")
"""Launch script, magic, version and architecture."""
_TELLING = ("bin/sh", "usr/bin/sh", "usr/bin/env", "bin/busybox", "usr/bin/python3")
"""Programs of which at least one is in most images."""


class Archive(NamedTuple):
    """What a docker archive says of its image."""

    identity: str
    """The image's id: the sha256 of its configuration."""
    architecture: str
    """As docker calls it."""


def here() -> str:
    """The architecture of this machine, as docker calls it."""
    machine = platform.machine()
    return _DOCKER_NAMES.get(machine, machine)


def right_architecture(image: str, usable: str, architecture: str) -> str:
    """`usable` itself; `ConsumerError` where an image is for other machines. An unknown architecture passes."""
    if architecture not in {"", here()}:
        raise ConsumerError(f"image {image} is for {architecture} machines, this one is {here()}; build it for {here()}")
    return usable


def architecture_of(path: str) -> str:
    """The architecture of an image that is a file or folder, empty where that does not show.

    Raises `ConsumerError` if it is missing or no image.
    """
    if os.path.isdir(path):
        return architecture_of_folder(path)
    if not os.path.exists(path):
        raise ConsumerError(f"there is no image {path}; correct the path, or write it without ./ for a name in a registry")
    return described(path).architecture if path.endswith(".tar") else _architecture_of_sif(path)


def architecture_of_folder(path: str) -> str:
    """The architecture of a sandbox folder, empty where that does not show; `ConsumerError` if it is missing."""
    if not os.path.isdir(path):
        raise ConsumerError(f"there is no image folder {path}; correct the path or unpack the image there")
    for program in _TELLING:
        with contextlib.suppress(OSError), open(os.path.join(path, program), "rb") as stream:
            head = stream.read(20)
            if head.startswith(b"\x7fELF"):
                return _ELF_MACHINES.get(head[18] | head[19] << 8, "")
    return ""


def _architecture_of_sif(path: str) -> str:
    try:
        with open(path, "rb") as stream:
            magic, code = _SIF_HEADER.unpack(stream.read(_SIF_HEADER.size))
    except (OSError, struct.error) as error:
        raise ConsumerError(f"{path} cannot be read as a .sif image: {error}") from error
    if not magic.startswith(b"SIF_MAGIC"):
        raise ConsumerError(f"{path} is no .sif image; name a .sif file, a docker archive (.tar) or a sandbox folder")
    return _SIF_MACHINES.get(code.rstrip(b"\0").decode("ascii", "replace"), "")


def described(archive: str) -> Archive:
    """What a docker archive says of its only image; `ConsumerError` for another file."""
    try:
        with tarfile.open(archive) as tar:
            (manifest,) = pydantic_core.from_json(_member(tar, "manifest.json"))
            configuration = _member(tar, manifest["Config"])
            return Archive(hashlib.sha256(configuration).hexdigest(), pydantic_core.from_json(configuration)["architecture"])
    except OSError as error:
        raise ConsumerError(f"docker archive {archive} cannot be read: {error.strerror or error}") from error
    except (tarfile.TarError, KeyError, ValueError, TypeError) as error:
        raise ConsumerError(f"{archive} is no docker archive of one image; make it with `docker save`") from error


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    stream = tar.extractfile(name)
    if stream is None:
        raise KeyError(name)
    with stream:
        return stream.read()


def converted(store: str, image: str) -> str:
    """Where the converted form of an image goes, which is another one when the image changes."""
    stamp = ""
    with contextlib.suppress(OSError):
        status = os.stat(image)
        stamp = f"{status.st_size} {status.st_mtime_ns}"
    return os.path.join(store, hashlib.sha256(f"{image} {stamp}".encode()).hexdigest()[:32])


@contextlib.asynccontextmanager
async def exclusive(store: str, image: str) -> AsyncIterator[None]:
    """Hold an image's lock, which all pilots with this store share."""
    os.makedirs(store, mode=0o700, exist_ok=True)
    with _lock_file(f"{converted(store, image)}.lock") as handle:
        while not _locked(handle):  # noqa: ASYNC110  a thread that waits for it could not be cancelled
            await asyncio.sleep(_LOCK_LOOK_SECONDS)
        yield


@contextlib.contextmanager
def _lock_file(path: str) -> Iterator[int]:
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""Takes in files: streamed, measured, checked, kept once per content."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterable
from http import HTTPStatus
from pathlib import Path

from starlette.exceptions import HTTPException

from ewms.core.errors import Conflict, InputError, NotFound
from ewms.core.service.upload import UploadDocument, upload_key
from ewms.stores.collections import UPLOADS
from ewms.stores.store import Add, Delete, Insert
from ewms.wms.files import Content
from ewms.wms.service.quotas import BYTES, uploads_of
from ewms.wms.service.state import ServiceState

_WRITE_BYTES = 1 << 20
_READS_AT_ONCE = 64


async def take_in(
    state: ServiceState, owner: str, chunks: AsyncIterator[bytes], expected: str | None, size: int | None
) -> Content:
    """Keep an upload for its owner.

    Parameters
    ----------
    expected
        The sha256 that it must have; None for any.
    size
        Bytes, as announced; None where they were not.

    Raises
    ------
    InputError
        The content is another one than was announced.
    Forbidden
        It is above the owner's quota.
    HTTPException
        413: it is above the limit of the service.
    """
    limit = state.configuration.service.max_upload
    _check_size(size or 0, limit)
    async with state.quotas.more_bytes(owner, size or 0):
        pass  # refused before it is sent, where its size is known
    folder = state.configuration.service.data / "incoming"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, buffering=_WRITE_BYTES) as file:
        digest, received = hashlib.sha256(), 0
        async for chunk in chunks:
            received += len(chunk)
            _check_size(received, limit)
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk) if len(chunk) >= _WRITE_BYTES else file.write(chunk)
        if expected is not None and digest.hexdigest() != expected:
            raise InputError(f"what was sent has the sha256 {digest.hexdigest()}, not {expected}; send it again")
        file.flush()
        content = await asyncio.to_thread(state.files.put_file, Path(file.name))
    await _register(state, owner, content)
    return content


async def take_in_bytes(state: ServiceState, owner: str, data: bytes) -> Content:
    """As `take_in`, for what is in memory."""
    content = await asyncio.to_thread(state.files.put, data)
    await _register(state, owner, content)
    return content


async def _register(state: ServiceState, owner: str, content: Content) -> None:
    upload = UploadDocument(owner=owner, sha256=content.sha256, size=content.size, timestamp=state.clock())
    async with state.quotas.more_bytes(owner, content.size):
        with contextlib.suppress(Conflict):  # sent before
            await state.store.write(
                Insert(collection=UPLOADS, key=upload.key, body=upload.model_dump(mode="json")),
                Add(owner=uploads_of(owner), amounts={BYTES: content.size}),
            )


async def known(state: ServiceState, owner: str, digests: Iterable[str]) -> dict[str, UploadDocument]:
    """Those of some contents that an owner has uploaded, by sha256."""
    wanted = sorted(set(digests))
    found: dict[str, UploadDocument] = {}
    for start in range(0, len(wanted), _READS_AT_ONCE):
        keys = (upload_key(owner, digest) for digest in wanted[start : start + _READS_AT_ONCE])
        for stored in await asyncio.gather(*(state.store.get(UPLOADS, key) for key in keys)):
            if stored is not None:
                upload = UploadDocument.model_validate(stored.body)
                found[upload.sha256] = upload
    return found


async def remove(state: ServiceState, owner: str, sha256: str) -> None:
    """Forget that an owner has uploaded a content; workflows that use it keep it. `NotFound` where there is none."""
    key = upload_key(owner, sha256)
    async with state.quotas.alone(owner):
        stored = await state.store.get(UPLOADS, key)
        if stored is None:
            raise NotFound(f"{owner} has uploaded no content {sha256}")
        size = UploadDocument.model_validate(stored.body).size
        await state.store.write(Delete(collection=UPLOADS, key=key), Add(owner=uploads_of(owner), amounts={BYTES: -size}))


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise HTTPException(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the file is above the service's limit of {limit} bytes; split it"
        )

"""The uploads of a workflow on their way to its pilots."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path, PurePosixPath

from ewms.core.config import ContextFile, PilotConfig
from ewms.core.errors import InputError, NotFound
from ewms.core.service.files import CODE, CONTEXT
from ewms.tms.folder import ClusterFolder

Download = Callable[[str, str], AbstractAsyncContextManager[AsyncIterator[bytes]]]
"""Opens an upload by workflow and name."""


class Uploads:
    """Fetches each file once, whoever asks.

    Parameters
    ----------
    folder
        Where they go, in one folder per workflow.
    download
        Where they come from.
    """

    def __init__(self, folder: ClusterFolder, download: Download) -> None:
        self._folder = folder
        self._download = download
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def fetch(self, workflow_id: str, wanted: Mapping[str, str]) -> dict[str, Path]:
        """Where the files lie, by name.

        Parameters
        ----------
        wanted
            Name to sha256.

        Raises
        ------
        InputError
            A name leads out of the folder, or the service does not have what was uploaded.
        """
        root = self._folder.uploads_of(workflow_id)
        places = {name: root / _checked(name) for name in wanted}
        async with self._locks[workflow_id]:
            for name, place in places.items():
                if await asyncio.to_thread(_digest, place) != wanted[name]:
                    await self._fetch(workflow_id, name, place, wanted[name])
        return places

    async def _fetch(self, workflow_id: str, name: str, place: Path, sha256: str) -> None:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = place.with_name(place.name + ".draft")
        digest = hashlib.sha256()
        try:
            async with self._download(workflow_id, name) as chunks:
                with draft.open("wb") as file:
                    async for chunk in chunks:
                        digest.update(chunk)
                        await asyncio.to_thread(file.write, chunk)
        except NotFound as error:
            raise InputError(f"upload '{name}' of {workflow_id} is not at the service ({error}); upload it again") from error
        if digest.hexdigest() != sha256:
            draft.unlink()
            raise InputError(f"upload '{name}' of {workflow_id} was damaged on its way, or replaced; upload it again")
        draft.replace(place)


def placed(config: PilotConfig, files: Mapping[str, str], root: str) -> PilotConfig:
    """The configuration with the uploads where its pilot sees them.

    Parameters
    ----------
    files
        Name to sha256.
    root
        The folder that holds `code/` and `context/`, as the pilot sees it.
    """
    context = tuple(
        ContextFile(name=name.removeprefix(CONTEXT), path=f"{root}/{name}", sha256=sha256)
        for name, sha256 in sorted(files.items())
        if name.startswith(CONTEXT)
    )
    changes: dict[str, object] = {"context": (*config.context, *context)}
    if any(name.startswith(CODE) for name in files):
        code = root + "/" + CODE.rstrip("/")
        changes |= {"search_path": (code, *config.search_path), "working_directory": config.working_directory or code}
    return config.model_copy(update=changes)


def _checked(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise InputError(f"upload {name!r} has a name that leads out of its folder; upload it under another")
    return path


def _digest(path: Path) -> str:
    """The sha256 of a file; empty if there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""

"""Brings parcels to targets: folders, stores of fsspec, webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ewms.services import EwmsError
from skymap_scanner.skydriver.auto.atomic import write_atomically
from skymap_scanner.skydriver.auto.parcel import LIST, Parcel
from skymap_scanner.skydriver.auto.policy import Target

AT_ONCE = 2
"""Parcels on their way to one target; another target has its own."""
_SECONDS = 120.0
"""After which a target is held to be away."""

Deliver = Callable[[str, bytes, str], Awaitable[str]]
"""Calls a webhook once: URL, body and id; why it failed, or nothing. See `ewms.services.PluginHost.deliver`."""


class Undelivered(EwmsError):
    """The target is away; it is tried again."""


class Targets:
    """One slow or dead target holds up nobody but itself: each has threads of its own.

    Parameters
    ----------
    deliver
        Calls webhooks.
    """

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._threads: dict[str, ThreadPoolExecutor] = {}

    def close(self) -> None:
        """Wait for nobody: what is under way is done again some day."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)
        self._threads.clear()

    async def send(self, name: str, target: Target, parcel: Parcel, delivery_id: str, link: str) -> None:
        """Return when the target has a parcel.

        Parameters
        ----------
        name : of the target.
        delivery_id : the same at each attempt.
        link : URL of the folder of the files in the service.

        Raises
        ------
        Undelivered
            With the reason.
        """
        if target.webhook:
            if problem := await self._deliver(target.webhook, parcel.message(link), delivery_id):
                raise Undelivered(f"target {name}: {problem}")
            return
        threads = self._threads.setdefault(name, ThreadPoolExecutor(AT_ONCE, f"target-{name}"))
        work = asyncio.get_running_loop().run_in_executor(threads, _write, target, parcel)
        try:
            async with asyncio.timeout(_SECONDS):
                await asyncio.shield(work)
        except TimeoutError:
            work.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody waits for it any more
            raise Undelivered(f"target {name}: nothing was written in {_SECONDS:g} s") from None
        except Exception as error:  # store libraries of anybody raise whatever they like
            raise Undelivered(f"target {name}: {str(error) or type(error).__name__}") from error


def _write(target: Target, parcel: Parcel) -> None:
    if target.folder:
        _to_folder(Path(target.folder), parcel)
        return
    import fsspec

    filesystem, root = fsspec.core.url_to_fs(target.url)
    if "file" in _protocols(filesystem):
        _to_folder(Path(root), parcel)
        return
    place = f"{root}/{parcel.folder}"
    filesystem.makedirs(place, exist_ok=True)
    for name, content in parcel.files.items():
        filesystem.pipe_file(f"{place}/{name}", content)
    filesystem.pipe_file(f"{place}/{LIST}", parcel.inventory)


def _to_folder(base: Path, parcel: Parcel) -> None:
    if not base.is_dir():  # an absent disk is not made up for by a folder where it should be
        raise FileNotFoundError(f"folder {base} is not there")
    place = base / parcel.folder
    place.mkdir(parents=True, exist_ok=True)
    for name, content in parcel.files.items():
        write_atomically(place / name, content)
    write_atomically(place / LIST, parcel.inventory)


def _protocols(filesystem: Any) -> tuple[str, ...]:
    found = filesystem.protocol
    return (found,) if isinstance(found, str) else tuple(found)

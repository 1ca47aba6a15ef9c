"""What the containers of a task see of the host: the event's files, the data hub, and folders that the task names."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ewms.core.container import OURS, ContainerSpec, Mount, check_mountable, parse_mount
from ewms.core.errors import ConsumerError

FILES = f"{OURS}/task-io"
"""Where a container finds the files of its event."""
HUB = f"{OURS}/data-hub"
"""Where it finds the data hub."""


def mounts(container: ContainerSpec, data_hub: str, files: str | None) -> tuple[Mount, ...]:
    """All mounts of a container.

    Parameters
    ----------
    data_hub
        The folder that all tasks share.
    files
        Folder of the event's files; None for a container that has no event.

    Raises
    ------
    ConsumerError
        A folder is missing here, or is a link into what the policy forbids.
    """
    ours = [Mount(data_hub, HUB, writable=True)] + ([Mount(files, FILES, writable=True)] if files is not None else [])
    return (*ours, *_context(data_hub), *(checked(text) for text in container.mounts))


def checked(text: str) -> Mount:
    """A mount that the user asks for; `ConsumerError` where it cannot be made on this host."""
    mount = parse_mount(text)
    real = os.path.realpath(mount.source)
    if not os.path.isdir(real):
        raise ConsumerError(f"mount {text}: there is no folder {mount.source} on this host; correct it or leave it out")
    try:
        check_mountable(real)
    except ValueError as error:
        raise ConsumerError(f"mount {text}: it leads to {real}: {error}") from error
    return mount


def _context(data_hub: str) -> Iterator[Mount]:
    """Files of the context are links in the hub: they lead somewhere only if the container sees their targets too."""
    with os.scandir(data_hub) as entries:
        for entry in entries:
            if entry.is_symlink():
                target = os.readlink(entry.path)
                yield Mount(target, target)

"""What can be known of a container task before any event runs: checked at submission, for pilots on this machine."""

from __future__ import annotations

import os

from ewms.core.container import ContainerSpec
from ewms.core.errors import ConsumerError
from ewms.pilot.containers import image as images
from ewms.pilot.containers import mounts
from ewms.pilot.containers.preparing import located
from ewms.pilot.containers.tools import tool_for


def check_here(container: ContainerSpec, folder: str, where: str) -> None:
    """Look whether the task's containers can be run here, without running one.

    Parameters
    ----------
    folder
        What a relative path of an image is relative to.
    where
        What error messages begin with.

    Raises
    ------
    ConsumerError
        The tool is not installed, an image file or a mount's folder is missing, or an image file is for other machines.
    """
    names = [container.image] + ([container.init.image] if container.init is not None and container.init.image else [])
    try:
        tool_for(container)
        for image in (located(name, folder) for name in names):
            if os.path.isabs(image):
                images.right_architecture(image, image, images.architecture_of(image))
        for mount in container.mounts:
            mounts.checked(mount)
    except ConsumerError as error:
        raise ConsumerError(f"{where}: {error}") from error

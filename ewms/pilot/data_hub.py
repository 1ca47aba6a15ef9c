"""The folder that all tasks of a pilot share. The workflow's context lies in it, under the names the application gave."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ewms.core.config import ContextFile
from ewms.core.errors import ConsumerError

VARIABLE = "EWMS_TASK_DATA_HUB_DIR"
"""Tells tasks where it is."""


class DataHub:
    """Made for one pilot.

    Parameters
    ----------
    scratch
        Folder for temporary files, with everything below it; see `scratch_folder`.
    files
        The context.

    Raises
    ------
    ConsumerError
        A file is missing or was damaged on its way: no event is to blame for that.
    """

    def __init__(self, scratch: str, files: Iterable[ContextFile]) -> None:
        self.path = tempfile.mkdtemp(prefix="ewms-hub-", dir=scratch)
        try:
            for file in files:
                _check(file)
                os.symlink(os.path.abspath(file.path), os.path.join(self.path, file.name))
        except ConsumerError:
            self.remove()
            raise

    def remove(self) -> None:
        """Remove the folder; what it links to stays. Idempotent."""
        shutil.rmtree(self.path, ignore_errors=True)


def scratch_folder(configured: str) -> str:
    """Where a pilot's temporary files go: the folder that it was told, or its slot's."""
    return configured or os.environ.get("_CONDOR_SCRATCH_DIR") or tempfile.gettempdir()


def context(name: str) -> Path:
    """Where a file of the workflow's context lies; to be called by consumers.

    Raises `ConsumerError` if the application gives no such file.
    """
    path = Path(os.environ.get(VARIABLE, ""), name)
    if not path.is_file():
        raise ConsumerError(f"there is no context file '{name}'; have the application's context() give it")
    return path


def _check(file: ContextFile) -> None:
    try:
        with open(file.path, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ConsumerError(f"context file '{file.name}' cannot be read: {error.strerror}: {file.path}") from error
    if digest != file.sha256:
        raise ConsumerError(f"context file '{file.name}' was damaged on its way to the pilot: {file.path}")

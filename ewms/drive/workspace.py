"""A workflow's uploads as local files, in a folder that may go at any time."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from ewms.core.errors import InputError
from ewms.core.service.files import CODE, CONTEXT, INPUTS
from ewms.local.directory import RunDirectory
from ewms.wms.files import Files


class Workspace:
    """Where one workflow is driven.

    Parameters
    ----------
    path
        The folder.
    uploads
        Name to sha256.
    """

    def __init__(self, path: Path, uploads: Mapping[str, str]) -> None:
        self.directory = RunDirectory(path)
        self.code = path / CODE
        self._path = path
        self._uploads = {name: digest for name, digest in uploads.items() if name.startswith((CODE, INPUTS))}
        self.context = {name.removeprefix(CONTEXT): digest for name, digest in uploads.items() if name.startswith(CONTEXT)}
        """Files for tasks: name to sha256."""

    @property
    def has_code(self) -> bool:
        """Whether the workflow brings modules of its own."""
        return any(name.startswith(CODE) for name in self._uploads)

    @property
    def inputs(self) -> list[Path]:
        """Files and folders at the top of the uploaded inputs, by name.

        Where every top is a number of four digits, it is the place of the one input in it: two may have the same name.
        """
        below = {PurePosixPath(name).parts[1:] for name in self._uploads if name.startswith(INPUTS)}
        depth = 2 if all(_is_place(parts[0]) and len(parts) > 1 for parts in below) else 1
        return [Path(self._path, INPUTS, *top) for top in sorted({parts[:depth] for parts in below})]

    def fill(self, files: Files) -> None:
        """Make a fresh copy; `InputError` for a name that leads out of the folder, or a content that is gone."""
        self.clear()
        self.directory.create()
        self.code.mkdir(exist_ok=True)
        for name, digest in self._uploads.items():
            if ".." in PurePosixPath(name).parts or len(PurePosixPath(name).parts) < 2:
                raise InputError(f"upload '{name}' has no place in the workflow's folder; name it code/… or inputs/…")
            files.fetch(digest, self._path / name)

    def clear(self) -> None:
        """Remove everything."""
        shutil.rmtree(self._path, ignore_errors=True)


_is_place = re.compile(r"[0-9]{4}").fullmatch

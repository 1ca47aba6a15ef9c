"""Everything that a service needs to run a workflow: its spec, its code, its inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ewms.client.code import Code
from ewms.core.errors import InputError
from ewms.core.service.files import CODE, INPUTS
from ewms.core.spec import WorkflowSpec

_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Package:
    """A workflow as it is sent."""

    spec: dict[str, Any]
    """The spec as JSON."""
    files: dict[str, Path]
    """Uploads: name to file."""


def pack(
    spec: WorkflowSpec,
    folders: Sequence[Path],
    inputs: Sequence[Path] = (),
    include: Iterable[str] = (),
    *,
    whole_folder: bool = False,
) -> Package:
    """Put a checked workflow together.

    Parameters
    ----------
    folders
        Where its own modules are; none where everything is installed.
    inputs
        Files and folders, in the order that the application is to see.
    include
        Names or patterns of files in the first folder that its code needs beside what it imports.
    whole_folder
        It needs all of them: the folder is the workflow's own.

    Raises
    ------
    ConsumerError, InputError
        In one line.
    """
    try:
        files, spec = _code(spec, folders, inputs, include, whole_folder=whole_folder)
        for number, path in enumerate(inputs):
            # With a number in front, several keep their order, and two may have one name.
            top = f"{INPUTS}{number:04}/" if len(inputs) > 1 else INPUTS
            files |= {f"{top}{name}": file for name, file in _files_of(path)}
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}") from error
    for name in files:
        if not name.isprintable():
            raise InputError(f"a file is called {name!r}, which cannot be sent; rename it")
    return Package(spec=spec.model_dump(mode="json", exclude_unset=True), files=files)


def _code(
    spec: WorkflowSpec, folders: Sequence[Path], inputs: Sequence[Path], include: Iterable[str], *, whole_folder: bool
) -> tuple[dict[str, Path], WorkflowSpec]:
    if not folders:
        return {}, spec
    code = Code(folders, inputs)
    told = code.add_workflow(spec)
    code.include(include)
    if whole_folder:
        code.add_folder()
    return {CODE + name: path for name, path in code.files.items()}, told


def _files_of(path: Path) -> list[tuple[str, Path]]:
    if path.is_file():
        return [(path.name, path)]
    found = [(file.relative_to(path.parent).as_posix(), file) for file in sorted(path.rglob("*")) if file.is_file()]
    if not found:
        raise InputError(f"input {path} holds no file")
    return found


def digest(path: Path) -> str:
    """The sha256 of a file; `InputError` if it cannot be read."""
    found = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                found.update(chunk)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    return found.hexdigest()

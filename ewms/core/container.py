"""What a user says of a container: its image, its arguments and what it may see of the host. Pure: nothing is looked up."""

from __future__ import annotations

import posixpath
from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

OURS = "/ewms"
"""Folder of a container that is the pilot's: files of the event and data hub lie below it."""
_NEVER = ("/proc", "/dev", "/sys", "/run", "/boot", "/var/run")
_LINE_BREAKS = frozenset("\n\r\0")


class Mount(NamedTuple):
    """A folder of the host that a container sees."""

    source: str
    """Where it lies on the host."""
    target: str
    """Where the container sees it."""
    writable: bool = False
    """Whether the container may change it."""


def parse_mount(text: str) -> Mount:
    """A read-only mount from `FOLDER` or `FOLDER:TARGET`.

    Raises `ValueError` for what EWMS's mount policy forbids: relative paths, kernel and runtime folders, the root folder.
    """
    source, _, target = text.partition(":")
    mount = Mount(posixpath.normpath(source), posixpath.normpath(target or source))
    if text.count(":") > 1 or "," in text:
        raise ValueError(f"mount {text!r} is not of the form FOLDER or FOLDER:TARGET, without commas")
    for path in (mount.source, mount.target):
        if not path.startswith("/"):
            raise ValueError(f"mount {text!r}: {path} is not an absolute path")
        check_mountable(path)
    if _is_below(mount.target, OURS):
        raise ValueError(f"mount {text!r}: {OURS} is the pilot's own; choose another target")
    return mount


def check_mountable(path: str) -> None:
    """`ValueError` for a path that no container may have from the host, or have replaced."""
    if path == "/" or any(_is_below(path, folder) for folder in _NEVER):
        raise ValueError(f"mount of {path} is forbidden: / and all in {', '.join(_NEVER[:-1])} belong to the host")


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def check_environment(environment: dict[str, str]) -> None:
    """`ValueError` for a variable that container tools cannot pass on."""
    for name, value in environment.items():
        if not name.isidentifier() or not name.isascii():
            raise ValueError(f"environment variable {name!r}: a container takes names of letters, digits and _ only")
        if _LINE_BREAKS & set(value):
            raise ValueError(f"environment variable {name!r} holds a line break, which a container cannot be given")


class InitSpec(BaseModel):
    """A container that runs once on every pilot before the task does; it may fill the data hub."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str | None = None
    """Its image; left out, it is the task's."""
    arguments: tuple[str, ...] = ()
    """As those of the task; `{{DATA_HUB}}` is replaced."""
    environment: dict[str, str] = {}
    """Environment variables."""
    timeout: float | None = Field(default=None, gt=0)
    """Seconds that it may take; where it takes longer or fails, the pilot ends."""

    @field_validator("environment")
    @classmethod
    def _check_environment(cls, value: dict[str, str]) -> dict[str, str]:
        check_environment(value)
        return value


class ContainerSpec(BaseModel):
    """A task that is a container image, as EWMS runs them. CPU, memory and GPUs are those of the task's resources."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str = Field(min_length=1)
    """Name in a registry, sandbox folder, `.sif` or docker archive (`.tar`); a path holds a `/` at its start or begins
    with `./`, and is relative to the workflow's folder."""
    arguments: tuple[str, ...] = ()
    """Arguments of the image's entry point, or program and arguments where it has none, no shell; `{{INFILE}}`,
    `{{OUTFILE}}` and `{{DATA_HUB}}` are replaced."""
    tool: Literal["auto", "apptainer", "podman", "docker"] = "auto"
    """What runs it; `auto` takes the first that is installed and can run the image."""
    warm: Literal["no", "files", "lines"] = "no"
    """`no` starts a container per event; `files` keeps one up and runs its program per event in it; `lines` keeps its
    program up and feeds it by lines on stdin."""
    mounts: tuple[str, ...] = ()
    """Folders of the host that it may read, as `FOLDER` or `FOLDER:TARGET`."""
    network: bool = False
    """Whether it may use the network."""
    output_required: bool = False
    """Whether it has failed where it leaves no output file."""
    init: InitSpec | None = None
    """What runs once per pilot before."""

    @field_validator("mounts")
    @classmethod
    def _check_mounts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        targets = [parse_mount(text).target for text in value]
        for target in targets:
            if targets.count(target) > 1:
                raise ValueError(f"two mounts go to {target}")
        return value

    @model_validator(mode="after")
    def _lines_have_no_files(self) -> Self:
        if self.warm == "lines" and any("FILE}}" in argument for argument in self.arguments):
            raise ValueError('warm = "lines" knows no files; take {{INFILE}} and {{OUTFILE}} out or write "files"')
        return self

    @property
    def is_path(self) -> bool:
        """Whether the image is a path."""
        return is_path(self.image)


def is_path(image: str) -> bool:
    """Whether an image is a file or folder, not a name in a registry."""
    return image.startswith(("/", "./", "../")) or image.endswith((".sif", ".tar"))

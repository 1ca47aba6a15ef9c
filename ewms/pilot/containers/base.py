"""The contract of a container tool: how a container is started, and how it is got rid of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import msgspec

from ewms.core.container import Mount
from ewms.core.spec import ResourceSpec
from ewms.pilot.containers.calls import Said


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """One container, as all tools understand it."""

    name: str
    """Unique on the host."""
    owner: str
    """Who started it: containers of one owner are found together."""
    image: str
    """What `Tool.prepare` returned."""
    arguments: tuple[str, ...]
    """For the entry point; for `/bin/sh` where `in_shell`."""
    in_shell: bool = False
    """The image's shell runs in place of its entry point."""
    interactive: bool = False
    """It reads stdin."""
    environment_file: str
    """File with what `Tool.environment_text` made, so that values are in no process list."""
    variables: Mapping[str, str] = {}
    """Further variables, which are no secrets."""
    mounts: tuple[Mount, ...]
    """What it sees of the host."""
    network: bool
    """Whether it may use the network."""
    resources: ResourceSpec
    """Its limits."""


class Tool(ABC):
    """One container tool, found under a path.

    Parameters
    ----------
    program
        Full path of its command line.
    """

    name: ClassVar[str]
    """As in `ContainerSpec.tool`."""
    is_parent: ClassVar[bool]
    """Its containers are its child processes: killing its tree kills them, and their memory can be measured from here."""

    def __init__(self, program: str) -> None:
        self.program = program

    @abstractmethod
    def cannot_run(self, image: str) -> str | None:
        """Why this tool can never run an image of that kind, None if it can."""

    @abstractmethod
    async def prepare(self, image: str, store: str) -> str:
        """Pull, load or convert an image if that was not done yet; what `Launch.image` is to be.

        Parameters
        ----------
        image
            A name in a registry or an absolute path.
        store
            Folder for converted images.

        Raises
        ------
        ConsumerError
            It cannot be had, or is for another kind of machine.
        """

    @abstractmethod
    async def inner_command(self, image: str, arguments: tuple[str, ...]) -> tuple[str, ...]:
        """What runs in a container of that image with these arguments, for those who start it in there themselves."""

    @abstractmethod
    def environment_text(self, environment: Mapping[str, str]) -> str:
        """Variables as this tool reads them from a file."""

    @abstractmethod
    def command(self, launch: Launch) -> list[str]:
        """The command that runs a container in the foreground and ends with its exit code, leaving nothing behind."""

    @abstractmethod
    async def remove(self, name: str) -> None:
        """Kill a container with all that runs in it and remove it, if there is one of that name."""

    @abstractmethod
    def reaper(self, owner: str) -> str:
        """Shell command that kills and removes all containers of an owner."""

    @abstractmethod
    def refusal(self, said: Said) -> str | None:
        """Why the tool could not start a container at all, in one line; None where the container itself ended so."""

    @abstractmethod
    def cleaned(self, stderr: str) -> str:
        """What a container wrote to stderr, without the tool's own chatter, if there is anything else."""

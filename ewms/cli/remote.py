"""What commands that can work at a shared service have in common."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ewms.core.errors import UsageError

if TYPE_CHECKING:
    from ewms.client.session import Session

_F = TypeVar("_F", bound=Callable[..., Any])
_PREFIX = "WF-"
_VARIABLE = "EWMS_SERVER"

server_option = click.option(
    "--server", metavar="URL", envvar=_VARIABLE, help=f"A shared service, or {_VARIABLE}: takes a workflow's id."
)
"""For commands that take a folder or, with a server, a workflow's id."""


def remote_command(command: _F) -> _F:
    """Adds a workflow's id and `--server` to a command that works at a service alone."""
    option = click.option("--server", metavar="URL", envvar=_VARIABLE, help=f"The shared service, or {_VARIABLE}.")
    return click.argument("workflow_id", metavar="WORKFLOW")(option(command))


def is_remote(target: str, server: str | None) -> bool:
    """Whether a command is about a workflow at a service and not about a folder here.

    Raises `UsageError` where it is a workflow's id and there is no server.
    """
    if Path(target).exists():
        source = click.get_current_context().get_parameter_source("server")
        return source is click.core.ParameterSource.COMMANDLINE
    if not server and target.startswith(_PREFIX):
        raise UsageError(f"there is no folder {target}; for a workflow at a service give --server URL, or set {_VARIABLE}")
    return bool(server)


def session(server: str | None) -> Session:
    """A session with the service that the user named; `UsageError` where none is."""
    from ewms.client.connect import connect

    if not server:
        raise UsageError(f"give --server URL, or set {_VARIABLE}")
    return connect(server)


def hint(server: str | None) -> str:
    """` --server URL` for commands that are suggested, unless the environment says it already."""
    source = click.get_current_context().get_parameter_source("server")
    return f" --server {server}" if source is click.core.ParameterSource.COMMANDLINE else ""

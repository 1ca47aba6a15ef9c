"""`ewms top`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ewms.cli.remote import is_remote, server_option
from ewms.core.errors import UsageError

if TYPE_CHECKING:
    from ewms.top.source import Source

_NEEDED = ("textual", "httpx2")


@click.command()
@click.argument("target", metavar="[DIR|WORKFLOW]", required=False)
@server_option
def top(target: str | None, server: str | None) -> None:
    """Watch the workflows of a service on this terminal, or only WORKFLOW, or the run in DIR; act on them by keys.

    `?` shows the keys; `q` ends it, and nothing else ends with it.
    """
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        raise UsageError(f"ewms top needs {' and '.join(missing)}; install it with: pip install 'ewms[top]'")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("ewms top needs a terminal; for programs there is: ewms status --json")
    from ewms.top.app import Top
    from ewms.top.source import Wanted

    workflow_id = target if target is not None and is_remote(target, server) else None
    source = _folder(target) if target is not None and workflow_id is None else _service(server)
    # Whatever is wrong with address, token or name is said here, in one line, and not on a screen of its own.
    if workflow_id is None:
        source.workflows(Wanted(limit=1))
    else:
        source.workflow(workflow_id)
    Top(source, workflow_id).run()


def _folder(path: str) -> Source:
    from ewms.top.folder import FolderSource

    return FolderSource(Path(path))


def _service(server: str | None) -> Source:
    from ewms.client.connect import connection_to
    from ewms.top.service import ServiceSource

    if not server:
        raise UsageError("give --server URL, or set EWMS_SERVER; a run on this machine is shown by: ewms top DIR")
    return ServiceSource(connection_to(server, patience=0.0))

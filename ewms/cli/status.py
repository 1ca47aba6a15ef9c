"""`ewms status`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from ewms.cli.remote import hint, is_remote, server_option, session
from ewms.local.directory import RunDirectory
from ewms.local.inspection import read_status

if TYPE_CHECKING:
    from ewms.client.status import WorkflowStatus


@click.command()
@click.argument("target", metavar="[DIR|WORKFLOW]", required=False)
@server_option
@click.option("--json", "as_json", is_flag=True, help="As one JSON object; a line each for several workflows.")
def status(target: str | None, server: str | None, as_json: bool) -> None:
    """Tell how far the workflow in DIR is, or WORKFLOW at a service; with a service alone, list its workflows."""
    if target is None:
        with session(server) as service:
            for found in service.workflows():
                click.echo(msgspec.json.encode(found) if as_json else _line(found))
    elif is_remote(target, server):
        with session(server) as service:
            _show_remote(service.workflow(target).status(), hint(server), as_json=as_json)
    else:
        _show_local(target, as_json=as_json)


def _show_local(directory: str, *, as_json: bool) -> None:
    found = read_status(RunDirectory(Path(directory)))
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    click.echo(f"{found.name}  {found.workflow_id}  {found.state}" + (f": {found.reason}" if found.reason else ""))
    for task in found.tasks:
        known = "" if found.all_known else "+"
        click.echo(f"  {task.name}: {task.done} of {task.planned}{known}")
    click.echo("  " + _counts(found.events))
    if found.state in {"interrupted", "failed"}:
        click.echo(f"go on with: ewms resume {directory}")


def _show_remote(found: WorkflowStatus, suffix: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    click.echo(_line(found))
    for name, task in found.tasks.items():
        click.echo(f"  {name}: {task.terminal} of {task.planned}")
    if found.counts:
        click.echo("  " + _counts(found.counts))
    if found.state in {"failed", "paused"}:
        click.echo(f"go on with: ewms resume {found.workflow_id}{suffix}")
    if found.state == "complete":
        click.echo(f"get the product: ewms fetch {found.workflow_id}{suffix}")


def _line(found: WorkflowStatus) -> str:
    owner = f"  {found.owner}" if found.owner else ""
    return f"{found.name}  {found.workflow_id}{owner}  {found.state}" + (f": {found.reason}" if found.reason else "")


def _counts(events: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in events.items())

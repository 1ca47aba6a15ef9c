"""`ewms status`."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from ewms.local.directory import RunDirectory
from ewms.local.inspection import read_status


@click.command()
@click.argument("directory", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def status(directory: str, as_json: bool) -> None:
    """Tell how far the workflow in DIR is; works beside a running driver."""
    found = read_status(RunDirectory(Path(directory)))
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    click.echo(f"{found.name}  {found.workflow_id}  {found.state}" + (f": {found.reason}" if found.reason else ""))
    for task in found.tasks:
        known = "" if found.all_known else "+"
        click.echo(f"  {task.name}: {task.done} of {task.planned}{known}")
    click.echo("  " + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in found.events.items()))
    if found.state in {"interrupted", "failed"}:
        click.echo(f"go on with: ewms resume {directory}")

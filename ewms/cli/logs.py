"""`ewms logs`."""

from __future__ import annotations

import json
from typing import Any

import click

from ewms.cli.remote import remote_command, session


@click.command()
@remote_command
@click.option("--event", "event_id", metavar="ID", help="Only of this event.")
@click.option("--task", metavar="NAME", help="Only of this task.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def logs(workflow_id: str, server: str | None, event_id: str | None, task: str | None, as_json: bool) -> None:
    """Show what unsuccessful attempts of WORKFLOW at a service left: reason, traceback, ends of stdout and stderr."""
    with session(server) as service:
        shown = 0
        for attempt in service.workflow(workflow_id).logs(event_id, task):
            shown += 1
            click.echo(json.dumps(attempt)) if as_json else _show(attempt)
        if not shown and not as_json:
            click.echo("no attempt failed")


def _show(attempt: dict[str, Any]) -> None:
    where = attempt.get("host") or "unknown"
    click.secho(f"{attempt.get('task')}  {attempt.get('id')}  attempt {attempt.get('attempt')}", bold=True)
    click.echo(f"  {attempt.get('kind')} on {where}: {attempt.get('reason')}")
    for name in ("traceback", "stdout", "stderr"):
        if text := str(attempt.get(name) or "").rstrip():
            click.echo(f"  {name}:\n    " + text.replace("\n", "\n    "))

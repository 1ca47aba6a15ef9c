"""`ewms fetch`."""

from __future__ import annotations

from pathlib import Path

import click

from ewms.cli.remote import hint, remote_command, session
from ewms.cli.submit import wait_and_fetch


@click.command()
@remote_command
@click.option("--out", metavar="DIR", help="A new folder in the current one if left out.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line per change.")
@click.pass_context
def fetch(context: click.Context, workflow_id: str, server: str | None, out: str | None, as_json: bool) -> None:
    """Fetch what WORKFLOW at a service left: product, dead letters, summary. Waits for its end."""
    with session(server) as service:
        workflow = service.workflow(workflow_id)
        folder = Path(out or f"{workflow.status().name or 'workflow'}-{workflow_id}")
        context.exit(wait_and_fetch(workflow, folder, as_json=as_json, suffix=hint(server)))

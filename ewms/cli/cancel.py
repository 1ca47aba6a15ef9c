"""`ewms cancel` and `ewms pause`."""

from __future__ import annotations

import click

from ewms.cli.remote import hint, remote_command, session


@click.command()
@remote_command
def cancel(workflow_id: str, server: str | None) -> None:
    """Give WORKFLOW at a service up for good; what was accepted until then stays."""
    with session(server) as service:
        service.workflow(workflow_id).cancel()
    click.echo(f"{workflow_id} is being cancelled")


@click.command()
@remote_command
def pause(workflow_id: str, server: str | None) -> None:
    """Send no more events of WORKFLOW at a service until it is resumed."""
    with session(server) as service:
        service.workflow(workflow_id).pause()
    click.echo(f"{workflow_id} is being paused; go on with: ewms resume {workflow_id}{hint(server)}")

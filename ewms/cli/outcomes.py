"""`ewms outcomes`."""

from __future__ import annotations

import click
import pydantic_core

from ewms.cli.remote import remote_command, session


@click.command()
@remote_command
@click.option(
    "--after", metavar="N", type=click.IntRange(min=0), default=0, help="Only those after this place in the order."
)
@click.option("--follow", is_flag=True, help="Go on until the workflow has ended.")
def outcomes(workflow_id: str, server: str | None, after: int, follow: bool) -> None:
    """Print what became of events of WORKFLOW at a service, one JSON object a line, in the order of acceptance."""
    with session(server) as service:
        for ended in service.workflow(workflow_id).outcomes(after, wait=follow):
            line = {"order": ended.order, "id": ended.id, "task": ended.task}
            line |= {"output": ended.value} if ended.reason is None else {"dead": ended.reason}
            click.echo(pydantic_core.to_json(line, inf_nan_mode="constants", bytes_mode="base64", fallback=str))

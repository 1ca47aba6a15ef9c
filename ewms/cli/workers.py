"""`ewms workers`."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import click

from ewms.cli.remote import remote_command, session

_ENDED = "condor-complete"


@click.command()
@remote_command
@click.option("--json", "as_json", is_flag=True, help="As one JSON array.")
def workers(workflow_id: str, server: str | None, as_json: bool) -> None:
    """Show where WORKFLOW at a service has workers, and how these fare."""
    with session(server) as service:
        taskforces = service.workflow(workflow_id).workers()
        problems = {cluster["name"]: cluster["problem"] for cluster in service.clusters()}
    if as_json:
        click.echo(json.dumps(taskforces))
        return
    if not taskforces:
        click.echo("no taskforce")
    for taskforce in taskforces:
        _show(taskforce)
    for cluster in dict.fromkeys(each["cluster"] for each in taskforces if each["phase"] != _ENDED):
        if problem := problems.get(cluster):
            click.echo(f"cluster {cluster} does not answer for now, its work waits: {problem}")


def _show(taskforce: dict[str, Any]) -> None:
    click.secho(f"{taskforce['cluster']}  {taskforce['taskforce_uuid']}  {taskforce['phase']}", bold=True)
    statuses: Counter[str] = Counter()
    for job, pilots in (taskforce.get("compound_statuses") or {}).items():
        statuses[job] += sum(pilots.values())
    told = ", ".join(f"{count} {status}" for status, count in statuses.most_common()) or "nothing heard yet"
    click.echo(f"  wanted {taskforce.get('workers', 0)}: {told}")
    if taskforce.get("reason"):
        click.echo(f"  {taskforce['reason']}")
    for error, count in (taskforce.get("top_task_errors") or {}).items():
        click.echo(f"  {count} times: {error}")

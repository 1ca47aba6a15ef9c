"""`ewms why`."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from ewms.local.directory import RunDirectory
from ewms.local.inspection import FailureCluster, failure_clusters, read_status

_STDERR_LINES = 12


@click.command()
@click.argument("directory", metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="As one JSON array.")
def why(directory: str, as_json: bool) -> None:
    """Tell why events of the workflow in DIR failed, grouped by cause, with host and stderr."""
    folder = RunDirectory(Path(directory))
    clusters = failure_clusters(folder)
    if as_json:
        click.echo(msgspec.json.encode(clusters))
        return
    status = read_status(folder)
    if status.reason:
        click.echo(f"the workflow {status.state}: {status.reason}\n")
    if not clusters:
        click.echo("no event failed")
    for cluster in clusters:
        _show(cluster)


def _show(cluster: FailureCluster) -> None:
    fate = f", {cluster.dead} dead" if cluster.dead else ", all recovered or pending"
    click.secho(f"{cluster.task}: {cluster.example.reason}", bold=True)
    click.echo(f"  {cluster.kind} {cluster.attempts} times, {cluster.events} events{fate}")
    click.echo("  hosts: " + ", ".join(f"{host or 'unknown'} ({count})" for host, count in cluster.hosts.items()))
    more = f" and {cluster.events - len(cluster.ids)} more" if cluster.events > len(cluster.ids) else ""
    click.echo(f"  events: {', '.join(cluster.ids)}{more}")
    for name in ("traceback", "stderr"):
        lines = str(cluster.example.detail.get(name, "")).rstrip().splitlines()
        if lines:
            click.echo(f"  {name}:")
            click.echo("\n".join(f"    {line}" for line in lines[-_STDERR_LINES:]))
    click.echo()

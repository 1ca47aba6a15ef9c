"""`ewms why`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from ewms.cli.remote import is_remote, server_option, session
from ewms.core.cost import show_bytes
from ewms.local.directory import RunDirectory
from ewms.local.inspection import failure_clusters, read_status
from ewms.wms.failures import FailureCluster

_STDERR_LINES = 12


@click.command()
@click.argument("target", metavar="DIR|WORKFLOW")
@server_option
@click.option("--json", "as_json", is_flag=True, help="As one JSON array.")
def why(target: str, server: str | None, as_json: bool) -> None:
    """Tell why events of the workflow in DIR failed, or of WORKFLOW at a service: by cause, with host and stderr."""
    if is_remote(target, server):
        with session(server) as service:
            workflow = service.workflow(target)
            clusters = msgspec.convert(workflow.failures(), list[FailureCluster])
            status = workflow.status()
            state, reason = str(status.state), status.reason
    else:
        folder = RunDirectory(Path(target))
        clusters = failure_clusters(folder)
        found = read_status(folder)
        state, reason = found.state, found.reason
    if as_json:
        click.echo(msgspec.json.encode(clusters))
        return
    if reason:
        click.echo(f"the workflow {state}: {reason}\n")
    if not clusters:
        click.echo("no event failed")
    for cluster in clusters:
        _show(cluster)


def _show(cluster: FailureCluster) -> None:
    fate = f", {cluster.dead} dead" if cluster.dead else ", all recovered or pending"
    click.secho(f"{cluster.task}: {cluster.example.reason}", bold=True)
    click.echo(f"  {cluster.kind} {cluster.attempts} times, {cluster.events} events{fate}")
    click.echo("  hosts: " + ", ".join(f"{host or 'unknown'} ({count})" for host, count in cluster.hosts.items()))
    click.echo(f"  latest: {', '.join(_figures(cluster.example.detail))}")
    more = f" and {cluster.events - len(cluster.ids)} more" if cluster.events > len(cluster.ids) else ""
    click.echo(f"  events: {', '.join(cluster.ids)}{more}")
    for name in ("traceback", "stderr"):
        lines = str(cluster.example.detail.get(name, "")).rstrip().splitlines()
        if lines:
            click.echo(f"  {name}:")
            click.echo("\n".join(f"    {line}" for line in lines[-_STDERR_LINES:]))
    click.echo()


def _figures(detail: Mapping[str, Any]) -> Iterator[str]:
    """What one attempt is known to have cost, for people."""
    yield f"{detail['seconds']:.4f} s" if "seconds" in detail else "unknown run time"
    if "cpu_seconds" in detail:
        yield f"{detail['cpu_seconds']:.4f} s of CPU"
    if "peak_memory" in detail:
        yield f"peak {show_bytes(detail['peak_memory'])}"

"""`ewms plugins`."""

from __future__ import annotations

import importlib.metadata

import click

_GROUPS = ("ewms.applications", "ewms.brokers", "ewms.launchers", "ewms.stores", "ewms.services")


@click.command()
def plugins() -> None:
    """List what is installed: applications, brokers, launchers, stores, services."""
    for group in _GROUPS:
        click.secho(group.removeprefix("ewms."), bold=True)
        entries = sorted(importlib.metadata.entry_points(group=group), key=lambda entry: entry.name)
        for entry in entries:
            origin = f"{entry.dist.name} {entry.dist.version}" if entry.dist else ""
            click.echo(f"  {entry.name:<12} {entry.value}  {origin}")
        if not entries:
            click.echo("  none")

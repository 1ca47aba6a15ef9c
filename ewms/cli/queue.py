"""`ewms queue`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import msgspec

from ewms.local.directory import RunDirectory
from ewms.local.queues import InspectedQueue, inspect_queues, queues_of

_COLUMNS = ("ready", "leased", "redelivered", "consumers", "dead")


@click.command()
@click.argument("names", metavar="DIR|QUEUE...", nargs=-1, required=True)
@click.option("--broker", metavar="URL", envvar="EWMS_BROKER", help="Look at queues of this broker, or EWMS_BROKER.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON array.")
def queue(names: tuple[str, ...], broker: str | None, as_json: bool) -> None:
    """Tell what the broker holds: in the queues of the workflow in DIR, or in the QUEUEs named.

    Of what is leased, *redelivered* were delivered before, to somebody who vanished; *dead* are those that the broker has
    given up delivering and keeps apart. A NATS server counts as consumers those that ask for messages at this moment.
    """
    if RunDirectory(Path(names[0])).holds_workflow or broker is None:
        if len(names) > 1:
            raise click.UsageError("name one run directory, or queues together with --broker")
        url, found = queues_of(RunDirectory(Path(names[0])))
    else:
        url, found = broker, list(names)
    inspected = asyncio.run(inspect_queues(url, found))
    if as_json:
        click.echo(msgspec.json.encode([{"name": one.name, **msgspec.structs.asdict(one.found)} for one in inspected]))
    else:
        _show(inspected)


def _show(inspected: list[InspectedQueue]) -> None:
    width = max(len(one.name) for one in inspected)
    click.echo(" " * width + "".join(f"{column:>13}" for column in _COLUMNS))
    for one in inspected:
        figures = msgspec.structs.asdict(one.found)
        click.echo(one.name.ljust(width) + "".join(f"{figures[column]:>13}" for column in _COLUMNS))

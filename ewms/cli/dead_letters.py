"""`ewms dead-letters list|show|replay`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from ewms.cli.display import counted
from ewms.cli.run import resume_directory
from ewms.core.errors import InputError
from ewms.core.event import DeadLetter
from ewms.core.graph import Graph
from ewms.local.directory import RunDirectory
from ewms.local.inspection import graph_of, reading
from ewms.local.product import letter_json
from ewms.stores.base import Journal, Terminal
from ewms.stores.sqlite import SqliteJournal
from ewms.wms.hosting import dead_letter
from ewms.wms.replay import replay as replay_letters
from ewms.wms.routing import Router


@click.group(name="dead-letters")
def dead_letters() -> None:
    """Events that were given up on: list them, look into one, try them again."""


@dead_letters.command(name="list")
@click.argument("directory", metavar="DIR")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", default=100, show_default=True, help="Most letters to show."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, in full.")
def list_letters(directory: str, limit: int, as_json: bool) -> None:
    """List dead letters in event order."""
    with reading(RunDirectory(Path(directory))) as (journal, graph):
        _, _, total = journal.counts()
        for number, terminal in enumerate(journal.letters()):
            if number == limit:
                break
            letter = _letter(terminal, graph, journal)
            if as_json:
                click.echo(letter_json(letter))
            else:
                click.echo(f"{letter.task}  {letter.id}  {letter.reason}")
        if total > limit:
            click.echo(f"{limit} of {total} shown; --limit {total} shows all", err=True)
        elif not total and not as_json:
            click.echo("no dead letters")


@dead_letters.command()
@click.argument("directory", metavar="DIR")
@click.argument("event_id", metavar="ID")
def show(directory: str, event_id: str) -> None:
    """Show one dead letter with its whole history."""
    with reading(RunDirectory(Path(directory))) as (journal, graph):
        for terminal in _selected(journal, [event_id], None, graph):
            letter = _letter(terminal, graph, journal)
            click.secho(f"{letter.task}  {letter.id}", bold=True)
            click.echo(f"given up: {letter.reason}\nbody: {letter.body!r:.2000}")
            for attempt in letter.history:
                click.echo(f"attempt {attempt.attempt} {attempt.kind} on {attempt.host or 'unknown'}: {attempt.reason}")
                for name in ("traceback", "stdout", "stderr"):
                    if attempt.detail.get(name):
                        click.echo(f"  {name}:\n    " + str(attempt.detail[name]).rstrip().replace("\n", "\n    "))


@dead_letters.command()
@click.argument("directory", metavar="DIR")
@click.argument("event_ids", metavar="[ID]...", nargs=-1)
@click.option("--task", help="Only letters of this task.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line per change instead of a live display.")
@click.pass_context
def replay(context: click.Context, directory: str, event_ids: tuple[str, ...], task: str | None, as_json: bool) -> None:
    """Try dead letters again, all or those named, and go on with the workflow."""
    folder = RunDirectory(Path(directory)).require_workflow()
    folder.lock()
    try:
        with SqliteJournal(folder.journal) as journal:
            graph = graph_of(journal, folder)
            count = replay_letters(journal, Router(graph), list(_selected(journal, event_ids, task, graph)))
    finally:
        folder.unlock()
    if not count:
        click.echo("no dead letters to replay")
        return
    click.echo(f"trying {counted(count, 'dead letter')} again", err=True)
    context.exit(resume_directory(directory, as_json=as_json))


def _selected(
    journal: Journal, event_ids: tuple[str, ...] | list[str], task: str | None, graph: Graph
) -> Iterator[Terminal]:
    names = [known.name for known in graph.tasks]
    if task is not None and task not in names:
        raise InputError(f"there is no task '{task}'; tasks: {', '.join(names)}")
    wanted = set(event_ids)
    missing = set(wanted)
    for terminal in journal.letters():
        if (not wanted or terminal.event.id in wanted) and task in {None, names[terminal.event.task]}:
            missing.discard(terminal.event.id)
            yield terminal
    if missing:
        raise InputError(f"there is no dead letter '{sorted(missing)[0]}'; `ewms dead-letters list` shows them")


def _letter(terminal: Terminal, graph: Graph, journal: Journal) -> DeadLetter:
    event = terminal.event
    return dead_letter(event, graph.tasks[event.task].name, terminal.reason or "", journal.history(event.seq))

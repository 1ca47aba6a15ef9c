"""`ewms dead-letters list|show|replay`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import msgspec

from ewms.cli.display import counted
from ewms.cli.remote import is_remote, server_option, session
from ewms.cli.run import resume_directory
from ewms.core.errors import InputError
from ewms.core.event import DeadLetter
from ewms.core.graph import Graph
from ewms.local.directory import RunDirectory
from ewms.local.inspection import graph_of, reading
from ewms.stores.base import Journal, Terminal
from ewms.stores.sqlite import SqliteJournal
from ewms.wms.hosting import dead_letter
from ewms.wms.letters import letter_json
from ewms.wms.replay import replay as replay_letters
from ewms.wms.replay import selected
from ewms.wms.routing import Router


@click.group(name="dead-letters")
def dead_letters() -> None:
    """Events that were given up on: list them, look into one, try them again."""


@dead_letters.command(name="list")
@click.argument("target", metavar="DIR|WORKFLOW")
@server_option
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", default=100, show_default=True, help="Most letters to show."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, in full.")
def list_letters(target: str, server: str | None, limit: int, as_json: bool) -> None:
    """List dead letters in event order."""
    if is_remote(target, server):
        with session(server) as service:
            workflow = service.workflow(target)
            total = workflow.status().counts.get("dead_lettered", 0)
            _list(workflow.dead_letters(), total, limit, as_json=as_json)
        return
    with reading(RunDirectory(Path(target))) as (journal, graph):
        _, _, total = journal.counts()
        letters = (_letter(terminal, graph, journal) for terminal in journal.letters())
        _list((json.loads(letter_json(letter)) for letter in letters), total, limit, as_json=as_json)


@dead_letters.command()
@click.argument("target", metavar="DIR|WORKFLOW")
@click.argument("event_id", metavar="ID")
@server_option
def show(target: str, event_id: str, server: str | None) -> None:
    """Show one dead letter with its whole history."""
    if is_remote(target, server):
        with session(server) as service:
            found = [letter for letter in service.workflow(target).dead_letters() if letter["id"] == event_id]
        if not found:
            raise InputError(f"there is no dead letter '{event_id}'; `ewms dead-letters list` shows them")
        for letter in found:
            _show(msgspec.convert(letter, DeadLetter))
        return
    with reading(RunDirectory(Path(target))) as (journal, graph):
        for terminal in selected(journal, _names(graph), None, [event_id]):
            _show(_letter(terminal, graph, journal))


@dead_letters.command()
@click.argument("target", metavar="DIR|WORKFLOW")
@click.argument("event_ids", metavar="[ID]...", nargs=-1)
@server_option
@click.option("--task", help="Only letters of this task.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line per change instead of a live display.")
@click.pass_context
def replay(
    context: click.Context, target: str, event_ids: tuple[str, ...], server: str | None, task: str | None, as_json: bool
) -> None:
    """Try dead letters again, all or those named, and go on with the workflow."""
    if is_remote(target, server):
        with session(server) as service:
            _tell(service.workflow(target).replay(event_ids, task))
        return
    folder = RunDirectory(Path(target)).require_workflow()
    folder.lock()
    try:
        with SqliteJournal(folder.journal) as journal:
            graph = graph_of(journal, folder)
            count = replay_letters(journal, Router(graph), list(selected(journal, _names(graph), task, event_ids)))
    finally:
        folder.unlock()
    _tell(count)
    if count:
        context.exit(resume_directory(target, as_json=as_json))


def _tell(count: int) -> None:
    if count:
        click.echo(f"trying {counted(count, 'dead letter')} again", err=True)
    else:
        click.echo("no dead letters to replay")


def _list(letters: Iterable[dict[str, Any]], total: int, limit: int, *, as_json: bool) -> None:
    for letter in itertools.islice(letters, limit):
        click.echo(json.dumps(letter) if as_json else f"{letter['task']}  {letter['id']}  {letter['reason']}")
    if total > limit:
        click.echo(f"{limit} of {total} shown; --limit {total} shows all", err=True)
    elif not total and not as_json:
        click.echo("no dead letters")


def _show(letter: DeadLetter) -> None:
    click.secho(f"{letter.task}  {letter.id}", bold=True)
    click.echo(f"given up: {letter.reason}\nbody: {letter.body!r:.2000}")
    for attempt in letter.history:
        click.echo(f"attempt {attempt.attempt} {attempt.kind} on {attempt.host or 'unknown'}: {attempt.reason}")
        for name in ("traceback", "stdout", "stderr"):
            if attempt.detail.get(name):
                click.echo(f"  {name}:\n    " + str(attempt.detail[name]).rstrip().replace("\n", "\n    "))


def _names(graph: Graph) -> list[str]:
    return [task.name for task in graph.tasks]


def _letter(terminal: Terminal, graph: Graph, journal: Journal) -> DeadLetter:
    event = terminal.event
    return dead_letter(event, graph.tasks[event.task].name, terminal.reason or "", journal.history(event.seq))

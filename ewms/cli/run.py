"""`ewms run` and `ewms resume`."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ewms.cli.display import Display, display_for
from ewms.cli.launching import BACKENDS, make_launcher
from ewms.cli.remote import is_remote, server_option, session
from ewms.core.errors import EwmsError
from ewms.local import starting
from ewms.local.directory import RunDirectory
from ewms.local.inspection import read_status
from ewms.local.loading import existing_inputs, load
from ewms.local.run import LocalRun, Options
from ewms.wms.driver import Stop

_DEAD_LETTERS = 3
_INTERRUPTED = 130
_GC_THRESHOLD = (50_000, 50, 100)
_BROKER_HELP = "URL of a broker, or EWMS_BROKER; a private one is started if there is none."


@click.command()
@click.argument("spec")
@click.argument("more_inputs", nargs=-1, metavar="")
@click.option("--input", "inputs", multiple=True, metavar="PATH...", help="Files and folders of input; may be repeated.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Parameter of the application, or key of the spec."
)
@click.option("--out", metavar="DIR", help="Folder for everything; a new one in the current folder if left out.")
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="Events worked on at once; as many as cores if left out."
)
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    default="local",
    show_default=True,
    help="Where pilots run: on this machine, or as jobs of the HTCondor access point that it is.",
)
@click.option("--broker", metavar="URL", envvar="EWMS_BROKER", help=_BROKER_HELP)
@click.option(
    "--lease",
    type=click.FloatRange(min=0.5),
    metavar="SECONDS",
    default=60.0,
    show_default=True,
    help="After which a lost pilot is noticed.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line per change instead of a live display.")
@click.pass_context
def run(
    context: click.Context,
    spec: str,
    more_inputs: tuple[str, ...],
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    out: str | None,
    workers: int | None,
    backend: str,
    broker: str | None,
    lease: float,
    as_json: bool,
) -> None:
    """Run SPEC: a TOML file, a folder with a workflow.toml, module:attribute, or an installed application."""
    values = dict(parse_setting(text) for text in settings)
    loaded = load(spec, values)
    paths = existing_inputs((*inputs, *more_inputs))  # what a shell makes of --input *.fits
    application = loaded.application(paths)
    directory = RunDirectory(Path(out) if out else Path(f"{loaded.spec.name}-{starting.new_workflow_id()}"))
    options = Options(workers=starting.checked_workers(workers), broker=broker, lease=lease, backend=backend)
    name = str(Path(spec).resolve()) if Path(spec).exists() else spec
    source = {"name": name, "settings": values, "folder": str(Path.cwd())}
    display = display_for(as_json)

    def make() -> LocalRun:
        return starting.start(
            loaded,
            application,
            directory,
            options,
            inputs=paths,
            source=source,
            on_progress=display.show,
            make_launcher=make_launcher,
        )

    context.exit(_drive(make, directory, display))


@click.command()
@click.argument("directory", metavar="DIR|WORKFLOW")
@server_option
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Events worked on at once; as before if left out.")
@click.option("--broker", metavar="URL", envvar="EWMS_BROKER", help=_BROKER_HELP)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line per change instead of a live display.")
@click.pass_context
def resume(
    context: click.Context, directory: str, server: str | None, workers: int | None, broker: str | None, as_json: bool
) -> None:
    """Go on with the workflow in DIR, or with WORKFLOW at a service: accepted work is not repeated."""
    if is_remote(directory, server):
        with session(server) as service:
            service.workflow(directory).resume()
        click.echo(f"{directory} goes on")
        return
    context.exit(resume_directory(directory, workers=workers, broker=broker, as_json=as_json))


def resume_directory(path: str, *, workers: int | None = None, broker: str | None = None, as_json: bool = False) -> int:
    """Resume a run directory with a display; the exit code."""
    directory = RunDirectory(Path(path))
    display = display_for(as_json)
    if directory.summary.exists() and read_status(directory).state == "complete":
        summary = json.loads(directory.summary.read_text())
        display.finished(directory, summary)
        return _exit_code(summary)

    def make() -> LocalRun:
        return starting.resume(
            directory, broker=broker, workers=workers, on_progress=display.show, make_launcher=make_launcher
        )

    return _drive(make, directory, display)


def _drive(make: Callable[[], LocalRun], directory: RunDirectory, display: Display) -> int:
    async def drive() -> dict[str, Any]:
        local_run = make()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, local_run.stop, Stop.INTERRUPTED)
        try:
            return await local_run.run()
        except EwmsError as error:
            if "ewms resume" in str(error):
                raise
            raise type(error)(f"{error}; correct it and run `ewms resume {directory.path}`") from error

    # A driver makes millions of small objects without cycles; looking through them all the time costs a twentieth of it.
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLD)
    try:
        with display:
            summary = asyncio.run(drive())
    finally:
        # Everything is down by now; one more Ctrl-C must not hide what became of it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        directory.unlock()
    display.finished(directory, summary)
    return _exit_code(summary)


def _exit_code(summary: dict[str, Any]) -> int:
    if summary["state"] != "complete":
        return _INTERRUPTED
    return _DEAD_LETTERS if summary["events"]["dead_lettered"] else 0


def parse_setting(text: str) -> tuple[str, Any]:
    """Key and value of `--set KEY=VALUE`: a TOML value, or text."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise click.UsageError(f"--set {text}: write KEY=VALUE")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value

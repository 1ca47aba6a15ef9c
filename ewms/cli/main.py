"""The `ewms` command: puts the groups together and turns errors into one line and an exit code."""

from __future__ import annotations

import importlib
import sys
import traceback
from typing import Any

import click

from ewms import __version__
from ewms.core.errors import EwmsError, UsageError

_COMMANDS = {
    "run": ("run", "Run a workflow on this machine, or with pilots on HTCondor."),
    "resume": ("run", "Go on with a workflow."),
    "status": ("status", "Tell how far a workflow is."),
    "why": ("why", "Tell why events failed, grouped by cause."),
    "dead-letters": ("dead_letters", "Events that were given up on: list, show, replay."),
    "top": ("top", "Watch workflows on a terminal, and act on them."),
    "queue": ("queue", "Tell what the broker holds."),
    "submit": ("submit", "Give a workflow to a service."),
    "fetch": ("fetch", "Get the product of a workflow from a service."),
    "outcomes": ("outcomes", "Stream the outcomes of a workflow."),
    "logs": ("logs", "Show what failed events left on stderr."),
    "workers": ("workers", "Show or change the workers of a workflow."),
    "pause": ("cancel", "Have a workflow send nothing more for now."),
    "cancel": ("cancel", "Give a workflow up."),
    "login": ("login", "Get a token for a service."),
    "web": ("web", "Let a browser in at a service."),
    "logout": ("login", "Forget the token for a service."),
    "dev": ("dev", "Run the whole service on this machine."),
    "serve": ("serve", "Run the service's REST interface and scheduler."),
    "drive": ("drive", "Run drivers for a service."),
    "tms": ("tms", "Make pilots exist where a service wants them."),
    "token": ("token", "Tokens that a service mints itself: create, list, revoke."),
    "broker": ("broker", "Set up a broker for a service."),
    "store": ("store", "Back up and restore the store of a service."),
    "pilot": ("pilot", "Bundle a pilot into one file."),
    "plugins": ("plugins", "List what is installed: applications, brokers, launchers, stores."),
    "doctor": ("doctor", "Tell what is installed, found and reachable, and what to do."),
}
"""Module and short help by name, in the order of the help."""
_SERVING = dict.fromkeys(("serve", "drive", "tms", "token", "broker", "store"), "service")
_ASKING = dict.fromkeys(
    ("submit", "fetch", "outcomes", "logs", "workers", "pause", "cancel", "login", "web", "logout"), "client"
)
_EXTRAS = {"dev": "local,service", "status": "client", "why": "client", "dead-letters": "client", **_SERVING, **_ASKING}
"""What a command needs beside a bare `ewms`, by name: those that a laptop has no use for come as extras."""
_OPTIONAL = frozenset({"bokeh", "fastapi", "httpx2", "jinja2", "jwt", "prometheus_client", "uvicorn"})
_INTERRUPTED = 130


def _explain(name: str, error: ModuleNotFoundError) -> None:
    """Raise `UsageError`, with what to install, where it is a package that comes with an extra."""
    package = (error.name or "").partition(".")[0]
    if name in _EXTRAS and package in _OPTIONAL:
        what = f"pip install 'ewms[{_EXTRAS[name]}]'"
        raise UsageError(f"ewms {name} needs {package}; install what it needs with: {what}") from error


class _Commands(click.Group):
    """Imports a command's module when that command is asked for: `ewms run` starts fast, however many there are."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        try:
            module = importlib.import_module(f"ewms.cli.{_COMMANDS[cmd_name][0]}")
        except ModuleNotFoundError as error:
            _explain(cmd_name, error)
            raise
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            _explain(ctx.invoked_subcommand or "", error)
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ewms")
@click.option("-v", "--verbose", is_flag=True, help="Show the cause chain of an error.")
@click.pass_context
def cli(context: click.Context, verbose: bool) -> None:
    """Run workflows of millions of events: durable, restartable, from a laptop to thousands of slots."""
    context.obj = verbose


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit.

    Exit codes: 0 complete, 3 complete with dead letters, 1 failed, 2 usage, 130 interrupted and resumable.
    """
    try:
        sys.exit(cli.main(args=arguments, standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        command = context.command_path if context is not None else "ewms"
        click.echo(f"{command}: {error.format_message().rstrip('.')}; see {command} --help", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(_INTERRUPTED)
    except EwmsError as error:
        if "-v" in (arguments or sys.argv[1:])[:1] or "--verbose" in (arguments or sys.argv[1:])[:1]:
            traceback.print_exception(error)
        click.echo(f"ewms: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(1)

"""The command `skymap-scanner`."""

from __future__ import annotations

import importlib
import sys

import click

import ewms
from skymap_scanner import __version__

_COMMANDS = {
    "scan": "Scan events: where on the sky did they come from, and how sure is that?",
    "inspect": "Show what an event holds.",
    "convert": "Write an event in the plugin's own JSON.",
    "simulate": "Make an event of a track or a shower.",
    "plot": "Draw a result again.",
    "compare": "Compare two results.",
    "coverage": "Find out how often contours hold the truth.",
    "policy": "Check the rules by which alerts are scanned.",
}
_INTERRUPTED = 130


class _Commands(click.Group):
    """Imports a command's module when that command is asked for: some draw, some need the whole of numpy."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"skymap_scanner.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="skymap-scanner")
def cli() -> None:
    """Sky maps of neutrino alerts."""


def main() -> None:
    """Run the command, with one line and an exit code for every mistake of the user."""
    try:
        code = cli(standalone_mode=False, prog_name="skymap-scanner")
    except (click.Abort, KeyboardInterrupt):
        code = _INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = error.exit_code
    except click.ClickException as error:
        click.echo(f"error: {error.format_message().rstrip('.')}; see skymap-scanner --help", err=True)
        code = error.exit_code
    except ewms.EwmsError as error:
        click.echo(f"error: {error}", err=True)
        code = error.exit_code
    sys.exit(code if isinstance(code, int) else 0)

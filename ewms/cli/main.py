"""The `ewms` command: puts the groups together and turns errors into one line and an exit code."""

from __future__ import annotations

import sys
import traceback

import click

from ewms import __version__
from ewms.cli.dead_letters import dead_letters
from ewms.cli.doctor import doctor
from ewms.cli.plugins import plugins
from ewms.cli.queue import queue
from ewms.cli.run import resume, run
from ewms.cli.status import status
from ewms.cli.why import why
from ewms.core.errors import EwmsError

_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ewms")
@click.option("-v", "--verbose", is_flag=True, help="Show the cause chain of an error.")
@click.pass_context
def cli(context: click.Context, verbose: bool) -> None:
    """Run workflows of millions of events: durable, restartable, from a laptop to thousands of slots."""
    context.obj = verbose


for command in (run, resume, status, why, dead_letters, queue, plugins, doctor):
    cli.add_command(command)


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

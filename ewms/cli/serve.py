"""`ewms serve`: the shared service."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from ewms.config_file import read_configuration
from ewms.core.service.log_lines import log_to_stderr
from ewms.wms.service.serving import serve as serve_until_stopped


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    envvar="EWMS_CONFIG",
    help="The service's ewms.toml; without one, the defaults hold.",
)
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Data folder instead of the file's."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", help="Port instead of the file's; 0 lets the kernel pick one."
)
def serve(config: Path | None, data: Path | None, port: int | None) -> None:
    """Take in workflows over REST, and decide which pilots are to run where, until interrupted.

    Prints the URL that it answers at; the log goes to stderr, one JSON object a line.
    """
    configuration = read_configuration(config, data=data, port=port)
    log_to_stderr()
    asyncio.run(serve_until_stopped(configuration, lambda url: click.echo(f"ewms serves at {url}")))

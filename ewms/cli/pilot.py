"""`ewms pilot`."""

from __future__ import annotations

from pathlib import Path

import click

from ewms.core.errors import InputError
from ewms.tms.bundle import Bundle


@click.group()
def pilot() -> None:
    """Make pilots for other machines."""


@pilot.command()
@click.option("-o", "--output", metavar="FILE", required=True, type=click.Path(path_type=Path), help="The file to write.")
@click.option(
    "--with",
    "distributions",
    metavar="DIST",
    multiple=True,
    help="A distribution that consumers need, such as numpy or ewms[rabbitmq], as it is installed here; repeatable.",
)
@click.option(
    "--code",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder whose modules consumers can import; repeatable.",
)
def bundle(output: Path, distributions: tuple[str, ...], code: tuple[Path, ...]) -> None:
    """Write a pilot as one executable file, for HTCondor to carry to slots that have nothing but Python.

    It holds ewms and what it needs, taken from what is installed here, and runs where the same minor version of Python is.
    """
    made = Bundle(distributions, code)
    try:
        made.write(output)
    except OSError as error:
        raise InputError(f"the bundle cannot be written: {error.strerror}: {error.filename or output}") from error
    size = output.stat().st_size / (1 << 20)
    click.echo(f"{output}: {size:.1f} MiB, {len(made.distributions)} distributions; runs only with {made.needs}")

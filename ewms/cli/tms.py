"""`ewms tms`: makes pilots exist at the clusters of a configuration."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import click

from ewms.config_file import read_configuration
from ewms.core.errors import InputError
from ewms.core.service.log_lines import JsonLines
from ewms.secret_file import read_secret_file
from ewms.tms.configuration import setups_of
from ewms.tms.serving import connector, serve

_TOKEN = "EWMS_TOKEN"  # noqa: S105  the name of a variable
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--config", type=_FILE, metavar="FILE", required=True, envvar="EWMS_CONFIG", help="The service's ewms.toml.")
@click.option("--cluster", "clusters", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Data folder instead of the file's."
)
@click.option(
    "--token-file",
    type=_FILE,
    metavar="FILE",
    envvar="EWMS_TOKEN_FILE",
    help="Holds a token of the role tms; read again when it changes. Or give the token itself in EWMS_TOKEN. "
    "If both are left out: secrets/tms.token in the data folder.",
)
@click.option("--ca", type=_FILE, metavar="FILE", envvar="EWMS_CA", help="PEM file to check the service's certificate by.")
def tms(config: Path, clusters: tuple[str, ...], data: Path | None, token_file: Path | None, ca: Path | None) -> None:
    """Submit, watch and remove pilots as the service tells, until interrupted.

    Started again, it goes on from what is there: pilots that run are kept.
    """
    configuration = read_configuration(config, data=data, secrets=False)
    setups = setups_of(configuration, clusters)
    connect = connector(_token(token_file, configuration.service.data), _tls(ca))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # a line for each request
    asyncio.run(serve(setups, connect, announce=click.echo))


def _token(path: Path | None, data: Path) -> Callable[[], str]:
    """What gives the token; `InputError` if the file that was named cannot be used now."""
    if path is not None:
        read_secret_file(path)
        return lambda: read_secret_file(path)
    if _TOKEN in os.environ:
        token = os.environ.pop(_TOKEN).strip()  # no process that is started from here inherits it
        return lambda: token
    kept = data / "secrets" / "tms.token"
    return lambda: read_secret_file(kept) if kept.exists() else ""


def _tls(ca: Path | None) -> ssl.SSLContext | None:
    if ca is None:
        return None
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise InputError(f"the certificates in {ca} cannot be read: {error.strerror or error}") from None

"""`ewms broker`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ewms.core.errors import InputError, UsageError

_FILE = click.Path(path_type=Path)


@click.group()
def broker() -> None:
    """Set up a broker for a service."""


@broker.command()
@click.argument("folder", type=_FILE)
@click.option("--listen", default="0.0.0.0:4222", show_default=True, metavar="HOST:PORT", help="Where the server listens.")
@click.option("--address", required=True, metavar="HOST:PORT", help="By which service, pilots and users reach it.")
@click.option("--certificate", type=_FILE, help="PEM file with the server's certificate chain; without one there is no TLS.")
@click.option("--key", type=_FILE, help="PEM file with its private key.")
@click.option("--ca", type=_FILE, help="PEM file with the authority, where pilots find it, too; none for a public one.")
def nats(folder: Path, listen: str, address: str, certificate: Path | None, key: Path | None, ca: Path | None) -> None:
    """Write keys and `nats.conf` of a NATS server into FOLDER: run it by `nats-server -c FOLDER/nats.conf`.

    What is there already stays valid: keys are made once, and revoked credentials stay revoked. FOLDER holds all secrets of
    the broker; the service needs of them what is shown at the end.
    """
    if (certificate is None) != (key is None):
        raise UsageError("--certificate and --key go together; give both, or neither for a network that is trusted")
    from ewms.brokers._nats_accounts import Accounts

    try:
        accounts = Accounts(folder.absolute())
        settings = accounts.server_settings()
        scheme = "nats" if certificate is None else "tls"
        accounts.write_logins(f"{scheme}://{address}{'' if ca is None else f'?ca={ca.absolute()}'}")
        accounts.write_server(listen, settings, None if certificate is None or key is None else (certificate, key))
    except OSError as error:
        raise InputError(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    click.echo(_configuration(folder.absolute()))


def _configuration(folder: Path) -> str:
    def reference(name: str) -> str:
        return json.dumps(f"file:{folder / name}")

    return (
        f"[service]\nbroker = {reference('service.url')}\n\n"
        f"[access.nats]\naccount = {reference('account.seed')}\n"
        f"operator = {reference('operator.seed')}\nsystem = {reference('system.url')}"
    )

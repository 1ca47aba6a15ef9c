"""`ewms login` and `ewms logout`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ewms.core.errors import UsageError

if TYPE_CHECKING:
    from ewms.client.login import Prompt

_server = click.option(
    "--server", metavar="URL", envvar="EWMS_SERVER", required=True, help="The shared service, or EWMS_SERVER."
)


@click.command()
@_server
def login(server: str) -> None:
    """Log in at a shared service: agree in a browser, here or on another machine."""
    from ewms.client.connection import Connection
    from ewms.client.login import Provider
    from ewms.client.tokens import Logins

    with Connection(server) as connection:
        provider, scope = Provider.of(connection)
        Logins().keep(connection.url, provider.log_in(scope, _show))
    click.echo(f"logged in at {connection.url}")


@click.command()
@_server
def logout(server: str) -> None:
    """Forget the login at a shared service."""
    from ewms.client.connection import checked_url
    from ewms.client.tokens import Logins

    logins, url = Logins(), checked_url(server)
    if logins.find(url) is None:
        raise UsageError(f"there is no login at {url}")
    logins.keep(url, None)
    click.echo(f"logged out of {url}")


def _show(prompt: Prompt) -> None:
    click.echo(f"open {prompt.url} in a browser and enter {prompt.code}")
    if prompt.whole_url:
        click.echo(f"or open {prompt.whole_url}")
    click.echo("waiting …", err=True)

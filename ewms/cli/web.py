"""`ewms web`."""

from __future__ import annotations

import click


@click.command()
@click.option("--server", metavar="URL", envvar="EWMS_SERVER", help="The shared service, or EWMS_SERVER.")
def web(server: str | None) -> None:
    """Let a browser in at a shared service: prints a link that is good once, for ten minutes.

    The browser becomes who you are here: by EWMS_TOKEN, EWMS_TOKEN_FILE or `ewms login`.
    """
    from ewms.client.connect import connection_to

    with connection_to(server) as connection:
        click.echo(connection.post("/ui/login/code")["url"])

"""`ewms dev`."""

from __future__ import annotations

import asyncio
from importlib.metadata import entry_points
from pathlib import Path

import click

from ewms.config_file import DEFAULT_DATA
from ewms.local.starting import checked_workers


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", help="As the last time, or 8080 if that is free; 0 for any."
)
@click.option(
    "--data",
    metavar="DIR",
    default=DEFAULT_DATA,
    show_default=True,
    help="Folder of everything; goes on with what it holds.",
)
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Most at once; as many as cores if left out.")
@click.option(
    "--lease",
    type=click.FloatRange(min=0.5),
    metavar="SECONDS",
    default=60.0,
    show_default=True,
    help="After which a lost pilot or driver host is noticed.",
)
@click.option(
    "--preload/--no-preload",
    default=True,
    show_default=True,
    help="Load installed applications at the start, so that their workflows begin at once.",
)
def dev(*, port: int | None, data: str, workers: int | None, lease: float, preload: bool) -> None:
    """Run a whole service on this machine: REST interface, broker, store, driver host and workers, until Ctrl-C.

    For trying things, and for one user. It listens on this machine alone.
    """
    from ewms.dev.folder import DevFolder
    from ewms.dev.link import login_link
    from ewms.dev.tree import run_tree

    folder = DevFolder(Path(data))
    folder.lock()
    try:
        applications = sorted(entry.name for entry in entry_points(group="ewms.applications")) if preload else ()
        url = folder.configure(port=folder.port(port), workers=checked_workers(workers), lease=lease, preload=applications)

        def tell() -> None:
            click.echo(f"ewms is at {url}; stop it with Ctrl-C")
            click.echo(f"in a browser: {login_link(url, folder)}")
            click.echo(f"export EWMS_SERVER={url} EWMS_TOKEN_FILE={folder.operator_token}")

        asyncio.run(run_tree(folder, url, tell))
    finally:
        folder.unlock()
    click.echo(f"stopped; go on with: ewms dev --data {data}")

"""`skymap-scanner convert`: any event in the plugin's own format."""

from __future__ import annotations

from pathlib import Path

import click

from skymap_scanner.errors import ScanError


@click.command()
@click.argument("event", metavar="IN", type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
def convert(event: Path, out: Path) -> None:
    """Write the event IN (an alert, .json or .pkl) as OUT, in the plugin's own JSON: documented, small, of plain numbers."""
    from skymap_scanner.reading import load_alert, native

    content = native.dumps(load_alert(event))
    try:
        out.write_bytes(content)
    except OSError as error:
        message = f"{out}: cannot be written ({error.strerror})"
        raise ScanError(message) from error

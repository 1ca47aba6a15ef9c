"""`skymap-scanner scan`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import ewms
from skymap_scanner.cli.display import display_for, report_lines
from skymap_scanner.errors import ScanError
from skymap_scanner.reading import load_alert
from skymap_scanner.scanning.policies import POLICIES
from skymap_scanner.scanning.progression import DEFAULT
from skymap_scanner.scanning.workflow import scan_workflow

_DEAD_LETTERS = 3
_LEASE = 10.0
"""Seconds after which the loss of a pilot is noticed: somebody waits for this map."""


@click.command(short_help="Scan events: where on the sky did they come from, and how sure is that?")
@click.argument("events", nargs=-1, required=True, metavar="EVENT...", type=click.Path(path_type=Path))
@click.option("--reco", default="mpe", show_default=True, help="Reconstruction; see the entry points skymap_scanner.recos.")
@click.option("--nsides", default=DEFAULT, show_default=True, help="nside:extension items, from coarse to fine.")
@click.option("--policy", default=POLICIES[0], show_default=True, help="progression, or adaptive: refine by probability.")
@click.option("--pointed", default="", metavar="RA,DEC|FIT", help="Scan the first level near there only.")
@click.option(
    "--predictive-threshold",
    default=1.0,
    show_default=True,
    metavar="PART",
    help="Begin the next level when so much is done.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder; scan-NAME by default, after the name of the file.")
@click.option("--workers", type=int, help="Pixels worked on at once; as many as there are cores by default.")
@click.option("--broker", help="URL of a message broker; a private one is started by default.")
@click.option("--max-failures", default=3, show_default=True, help="Tries per pixel.")
@click.option("--no-plots", is_flag=True, help="Write numbers and maps only.")
@click.option("--resume", is_flag=True, help="Go on with the scan in the folder if there is one.")
def scan(
    events: tuple[Path, ...],
    reco: str,
    nsides: str,
    policy: str,
    pointed: str,
    predictive_threshold: float,
    out: Path | None,
    workers: int | None,
    broker: str | None,
    max_failures: int,
    no_plots: bool,
    resume: bool,
) -> int:
    """Scan the sky for where each EVENT came from.

    EVENT is an alert of i3live (.json or .pkl) or an event in the plugin's own JSON. Several are scanned one after the
    other, each into a folder of its own below --out.
    """
    parameters: dict[str, Any] = {
        "reco": reco,
        "nsides": nsides,
        "policy": policy,
        "pointed": pointed,
        "predictive_threshold": predictive_threshold,
        "plots": not no_plots,
    }
    if max_failures < 1:
        raise ScanError(f"--max-failures is {max_failures}; a pixel is tried at least once")
    workflow = scan_workflow(parameters, max_failures=max_failures)
    folders = _folders(events, out)
    for event in events[1:]:
        load_alert(event)  # so that one which cannot be read is told before the first is scanned
    dead = 0
    for event, folder in zip(events, folders, strict=True):
        with display_for(event.name) as display:
            result = ewms.run(
                workflow,
                inputs=[event],
                out=folder,
                workers=workers,
                broker=broker,
                lease=_LEASE,
                resume=resume,
                progress=display.show,
            )
        for line in report_lines(result):
            click.echo(line)
        dead += result.summary["events"]["dead_lettered"]
    return _DEAD_LETTERS if dead else 0


def _folders(events: tuple[Path, ...], out: Path | None) -> list[Path]:
    """Where each scan goes; the folder itself where there is one event only."""
    if out is not None and len(events) == 1:
        return [out]
    base = out or Path()
    names = [f"scan-{event.stem}" for event in events]
    for name in names:
        if names.count(name) > 1:
            raise ScanError(
                f"two events are called {name.removeprefix('scan-')}; scan them by two commands, each with --out"
            )
    return [base / name for name in names]

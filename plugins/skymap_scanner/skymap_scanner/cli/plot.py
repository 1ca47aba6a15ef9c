"""`skymap-scanner plot`: pictures, and maps on request, of a finished or partial scan."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path

import click

from skymap_scanner.errors import ScanError

KINDS = ("png", "pdf", "svg")
"""Formats of pictures."""


@click.command()
@click.argument("result", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path(), help="Folder for the files; by default, this one.")
@click.option("--format", "kinds", default="png,pdf", show_default=True, help=f"Of {', '.join(KINDS)}; several with commas.")
@click.option(
    "--radius",
    type=click.FloatRange(0, 180, min_open=True),
    help="Half-width of the zoomed picture, degrees; by default, what holds all contours.",
)
@click.option(
    "--floor", type=click.FloatRange(0, 30), default=0.0, help="Smooth by this sigma, degrees: an angular error floor."
)
@click.option("--event", type=click.Path(path_type=Path), help="The event, to draw the fits that were published with it.")
@click.option("--mirror", is_flag=True, help="Exchange north and south, as old results of 2022 need.")
@click.option("--maps", is_flag=True, help="Write the FITS maps, contours and numbers too.")
@click.option("--flat", is_flag=True, help="Write flat FITS maps too: every pixel of the sky at the finest nside.")
def plot(
    result: Path,
    *,
    out: Path,
    kinds: str,
    radius: float | None,
    floor: float,
    event: Path | None,
    mirror: bool,
    maps: bool,
    flat: bool,
) -> None:
    """Draw RESULT, the .json or .npz of a scan."""
    from skymap_scanner.maps import SkyMap
    from skymap_scanner.outputs import base_name, map_files, mirrored, read_result
    from skymap_scanner.outputs.plots import plot_files

    wanted = _kinds(kinds)
    scan = read_result(result)
    if mirror:
        scan = mirrored(scan)
    if event is not None:
        from skymap_scanner.reading import load_alert

        alert = load_alert(event)
        scan = dataclasses.replace(scan, fits=alert.fits, header=scan.header if scan.header.run_id else alert.header)
    skymap = dataclasses.replace(SkyMap.of(scan), floor=math.radians(floor))
    base = base_name(scan.header, scan.levels)
    files: dict[str, str | bytes] = {}
    files |= plot_files(skymap, base, wanted, None if radius is None else math.radians(radius))
    if maps or flat:
        files |= map_files(skymap, base, flat=flat)
    _write(out, files)


def _write(out: Path, files: Mapping[str, str | bytes]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (out / name).write_bytes(content.encode() if isinstance(content, str) else content)
            click.echo(out / name)
    except OSError as error:
        message = f"--out {out}: {error.strerror}; name a folder that can be written"
        raise ScanError(message) from error


def _kinds(text: str) -> list[str]:
    kinds = [kind.strip().lower() for kind in text.split(",")]
    for kind in kinds:
        if kind not in KINDS:
            message = f"--format {kind}: not a format of pictures; choose of {', '.join(KINDS)}"
            raise ScanError(message)
    return kinds

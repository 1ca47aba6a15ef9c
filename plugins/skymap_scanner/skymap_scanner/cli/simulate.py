"""`skymap-scanner simulate`."""

from __future__ import annotations

import math
from pathlib import Path

import click

from skymap_scanner.errors import ScanError
from skymap_scanner.reading import native
from skymap_scanner.simulation.event import KINDS, MJD
from skymap_scanner.simulation.event import simulate as simulated


@click.command(short_help="Make an event of a track or a shower.")
@click.option("--zenith", type=float, required=True, help="Degrees, where the particle comes from: 0 is from above.")
@click.option("--azimuth", type=float, required=True, help="Degrees, in the detector's frame.")
@click.option("--energy", type=float, default=3e5, show_default=True, help="GeV.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of all chance; the same seed gives the same event.")
@click.option("--kind", default=KINDS[0], show_default=True, help="track or cascade.")
@click.option("--mjd", type=float, default=MJD, show_default=True, help="When, as a modified Julian date.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File; by default event-SEED.json.")
def simulate(zenith: float, azimuth: float, energy: float, seed: int, kind: str, mjd: float, out: Path | None) -> None:
    """Make an event with the photon model of the reconstructions, and write it in the plugin's own JSON."""
    alert = simulated(kind, math.radians(zenith), math.radians(azimuth), energy, seed, mjd=mjd)
    path = out or Path(f"event-{seed}.json")
    try:
        path.write_bytes(native.dumps(alert))
    except OSError as error:
        raise ScanError(f"{path} cannot be written: {error.strerror}; choose another --out") from error
    charge = float(alert.pulses["charge"].sum())
    click.echo(f"{path}: {kind} of {energy:g} GeV, {len(alert.pulses)} pulses, {charge:.0f} photoelectrons")

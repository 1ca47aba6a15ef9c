"""One simulated event."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.detector.geometry import modules
from skymap_scanner.errors import ScanError
from skymap_scanner.event import Alert, EventHeader, Truth
from skymap_scanner.simulation.light import flight_of, shower_light, track_light
from skymap_scanner.simulation.readout import read_out

KINDS: Final = ("track", "cascade")
RUN: Final = 999_999
"""Number of the run that simulated events belong to; their seed is their event number."""
MJD: Final = 59_000.0
"""When they happen, unless told otherwise."""
LATEST_MJD: Final = 200_000.0
"""The last day that files of events may name."""
TIME: Final = 10_000.0
"""ns after the start of the read-out at which the particle is at its vertex."""
LOWEST, HIGHEST = 1e2, 1e8
"""GeV, that the light yields are meant for."""
LAST_SEED: Final = 2**63 - 1
"""The largest number of an event."""
RADIUS, HALF_HEIGHT = 400.0, 350.0
"""m, of the cylinder in which vertices are drawn: inside the outermost strings."""


def simulate(
    kind: str,
    zenith: float,
    azimuth: float,
    energy: float,
    seed: int,
    *,
    vertex: tuple[float, float, float] | None = None,
    mjd: float = MJD,
) -> Alert:
    """Make an event. The same arguments give the same event on every machine with the same numpy.

    Parameters
    ----------
    kind
        `track`: an infinite muon of constant energy; `cascade`: a shower.
    zenith, azimuth
        Radians, where the particle comes from.
    energy
        GeV.
    seed
        Of all chance, and the number of the event; not negative.
    vertex
        m, of the shower, or a point on the track; by default drawn inside the detector.
    mjd
        Modified Julian date (UTC).

    Raises
    ------
    ScanError
        For a value out of range.
    """
    _check(kind, zenith, azimuth, energy=energy, seed=seed, mjd=mjd)
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    drawn = _inside(rng)
    place = drawn if vertex is None else np.array(vertex)
    detector = modules()
    if kind == "track":
        light = track_light(detector.position, place, TIME, flight_of(zenith, azimuth), energy)
    else:
        light = shower_light(detector.position, place, TIME, energy)
    x, y, z = place.tolist()
    return Alert(
        header=EventHeader(run_id=RUN, event_id=seed, mjd=mjd, event_type=kind, is_real=False),
        pulses=read_out(detector, light, rng),
        truth=Truth(kind=kind, zenith=zenith, azimuth=azimuth, x=x, y=y, z=z, time=TIME, energy=energy),
    )


def _inside(rng: np.random.Generator) -> NDArray[np.float64]:
    """A point (3,) of the cylinder."""
    radius, angle = RADIUS * math.sqrt(rng.random()), 2 * math.pi * rng.random()
    return np.array([radius * math.cos(angle), radius * math.sin(angle), HALF_HEIGHT * (2 * rng.random() - 1)])


def _check(kind: str, zenith: float, azimuth: float, *, energy: float, seed: int, mjd: float) -> None:
    if kind not in KINDS:
        raise ScanError(f"kind '{kind}' is unknown; simulate a track or a cascade")
    if not 0 <= zenith <= math.pi:
        raise ScanError(f"zenith {math.degrees(zenith):g} degrees is out of range; give 0 (from above) to 180 (from below)")
    if not 0 <= azimuth <= 2 * math.pi:
        raise ScanError(f"azimuth {math.degrees(azimuth):g} degrees is out of range; give 0 to 360")
    if not LOWEST <= energy <= HIGHEST:
        raise ScanError(f"energy {energy:g} GeV is out of range; give {LOWEST:g} to {HIGHEST:g}")
    if not 0 <= seed <= LAST_SEED:
        raise ScanError(f"seed {seed} is out of range; give 0 to 2^63 - 1")
    if not 0 <= mjd <= LATEST_MJD:
        raise ScanError(f"mjd {mjd:g} is out of range; give a modified Julian date from 0 to {LATEST_MJD:g}")

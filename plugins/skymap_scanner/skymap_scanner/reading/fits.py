"""Fits that came with an event: as particles in its frames, and as numbers in the alert around them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from skymap_scanner.event import PublishedFit
from skymap_scanner.reading.limits import MAX_NAME, MAX_PULSES
from skymap_scanner.reading.packet import Packet
from skymap_scanner.reading.particle import FitParams, Particle

_ROUNDING: Final = 1e-5
"""Radians to which alerts round directions; a fit no farther than that from another is the same one."""


_LARGEST: Final = 1e300
"""Above it, a number of an alert is nonsense, and may be an integer that no float can hold."""


def of_particles(packet: Packet) -> Iterator[PublishedFit]:
    """Fits among an event's objects: successful particles with a direction, and their likelihood if it is there too."""
    for name in packet.of_class("I3Particle"):
        particle, params = packet.get(name), packet.get(f"{name}FitParams")
        if (
            not isinstance(particle, Particle)
            or particle.fit_status != 0
            or not _is_direction(particle.zenith, particle.azimuth)
        ):
            continue
        x, y, z = map(_number, particle.position)
        yield PublishedFit(
            name=_name(name),
            zenith=particle.zenith,
            azimuth=particle.azimuth,
            x=x,
            y=y,
            z=z,
            time=_number(particle.time),
            energy=_number(particle.energy),
            llh=_number(params.llh) if isinstance(params, FitParams) else math.nan,
            ndof=params.ndof if isinstance(params, FitParams) else None,
        )


def of_message(recos: Any, known: tuple[PublishedFit, ...]) -> Iterator[PublishedFit]:
    """Fits in the alert's own dict `reco` that are not among those that are known already."""
    for name, reco in recos.items() if isinstance(recos, dict) else ():
        if not isinstance(name, str) or not isinstance(reco, dict):
            continue
        zenith, azimuth = _number(reco.get("zen")), _number(reco.get("azi"))
        if not _is_direction(zenith, azimuth) or any(_same(fit, zenith, azimuth) for fit in known):
            continue
        ndof = _number(reco.get("ndof"))
        yield PublishedFit(
            name=_name(name),
            zenith=zenith,
            azimuth=azimuth,
            llh=_number(reco.get("llh")),
            ndof=int(ndof) if abs(ndof) < MAX_PULSES else None,
        )


def _name(text: str) -> str:
    """Text that can be written: of bounded length, and without the halves of characters that JSON may hold."""
    return text[:MAX_NAME].encode("utf-8", "replace").decode()


def _number(value: Any) -> float:
    """NaN where there is no usable number."""
    return float(value) if isinstance(value, float | int) and abs(value) < _LARGEST else math.nan


def _is_direction(zenith: float, azimuth: float) -> bool:
    return 0.0 <= zenith <= math.pi and 0.0 <= azimuth <= math.tau


def _same(fit: PublishedFit, zenith: float, azimuth: float) -> bool:
    return abs(fit.zenith - zenith) <= _ROUNDING and abs(fit.azimuth - azimuth) <= _ROUNDING

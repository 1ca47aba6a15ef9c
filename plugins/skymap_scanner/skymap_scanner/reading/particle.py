"""Reconstructed particles and how well they fit (`I3Particle.cxx` of icecube/icetray-public)."""

from __future__ import annotations

import dataclasses

from skymap_scanner.errors import EventError
from skymap_scanner.reading.archive import Archive

NEWEST = 5
"""Version of I3Particle that is known."""
NEWEST_FIT_PARAMS = 2
"""Version of I3LogLikelihoodFitParams that is known."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Particle:
    """A track or shower as a reconstruction found it."""

    fit_status: int
    """0 if the reconstruction succeeded."""
    position: tuple[float, float, float]
    """Metres."""
    zenith: float
    """Radians, where it came from."""
    azimuth: float
    """Radians, where it came from."""
    time: float
    """When it was at the position, ns."""
    energy: float
    """GeV, or NaN."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FitParams:
    """How well a likelihood fit describes the pulses."""

    llh: float
    """Negative logarithm of the likelihood."""
    ndof: int
    """Degrees of freedom."""


def read(archive: Archive, version: int) -> Particle:
    """Read an `I3Particle` of version 1 or later."""
    if version < 1:
        message = "I3Particle version 0 is not supported (1 to 5 are)"
        raise EventError(message)
    archive.base()
    archive.i32()  # minor id
    if version > 1:
        archive.i64()  # major id
    archive.i32()  # kind of particle
    archive.i32()  # shape
    fit_status = archive.i32()
    archive.begin("I3Position")
    archive.base()
    position = (archive.f64(), archive.f64(), archive.f64())
    archive.begin("I3Direction")
    archive.base()
    zenith, azimuth = archive.f64(), archive.f64()
    time, energy = archive.f64(), archive.f64()
    archive.f64()  # length
    archive.f64()  # speed
    archive.i32()  # kind of location
    if version == 4:
        archive.take(16)  # inelasticities
    return Particle(fit_status=fit_status, position=position, zenith=zenith, azimuth=azimuth, time=time, energy=energy)


def read_fit_params(archive: Archive, version: int) -> FitParams:
    """Read an `I3LogLikelihoodFitParams`."""
    del version
    archive.base()
    llh = archive.f64()
    archive.f64()  # reduced
    ndof = archive.i32()
    archive.i32()  # calls of the minimiser
    return FitParams(llh=llh, ndof=ndof)

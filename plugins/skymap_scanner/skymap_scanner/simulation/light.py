"""When photons arrive at modules: the delay densities that the reconstructions use, sampled."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.physics import layers
from skymap_scanner.physics.photons import (
    COS_CHERENKOV,
    DELAY_PER_METRE,
    LIGHT_NS_PER_METRE,
    SHOWER_LIGHT,
    SIN_CHERENKOV,
    SPEED_OF_LIGHT,
    TRACK_LIGHT,
    Pandel,
)
from skymap_scanner.simulation.yields import CLOSEST, shower_yield, track_yield

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Light:
    """What reaches each module, before chance."""

    expected: Array
    """(n,) photoelectrons."""
    direct: Array
    """(n,) ns, when light that is not scattered arrives."""
    shape: Array
    """(n,) of the gamma distribution of delays."""
    rate: Array
    """(n,) of the same, per ns."""


def flight_of(zenith: float, azimuth: float) -> Array:
    """Return the direction of flight (3,) of a particle that comes from there; radians."""
    s = np.sin(zenith)
    return -np.array([s * np.cos(azimuth), s * np.sin(azimuth), np.cos(zenith)])


def track_light(position: Array, vertex: Array, time: float, flight: Array, energy: float) -> Light:
    """Return the light of an infinite track.

    Parameters
    ----------
    position : (n, 3) m, of the modules.
    vertex : (3,) m, a point on the track.
    time : ns, when the particle is there.
    flight : (3,) unit vector.
    energy : GeV, all along.
    """
    ahead = position - vertex
    along = ahead @ flight
    distance = np.sqrt(np.maximum((ahead**2).sum(axis=1) - along**2, CLOSEST**2))
    # Light leaves the track at the Cherenkov angle: the upward part of its flight tells which side of the module it meets.
    across_up = (ahead[:, 2] - along * flight[2]) / distance
    up = SIN_CHERENKOV * across_up + COS_CHERENKOV * flight[2]
    direct = time + along / SPEED_OF_LIGHT + DELAY_PER_METRE * distance
    shape, rate = _delays(TRACK_LIGHT, position[:, 2], distance, up)
    return Light(expected=track_yield(distance, energy), direct=direct, shape=shape, rate=rate)


def shower_light(position: Array, vertex: Array, time: float, energy: float) -> Light:
    """Return the light of a shower, the same in all directions; parameters as for tracks."""
    distance = np.maximum(np.linalg.norm(position - vertex, axis=1), CLOSEST)
    direct = time + LIGHT_NS_PER_METRE * distance
    shape, rate = _delays(SHOWER_LIGHT, position[:, 2], distance, np.zeros_like(distance))
    return Light(expected=shower_yield(distance, energy), direct=direct, shape=shape, rate=rate)


def _delays(pandel: Pandel, height: Array, distance: Array, up: Array) -> tuple[Array, Array]:
    """Shape and rate (n,) of the delays at modules; `up` is the upward part of the light's flight."""
    scattering, absorption = layers.factors(height)
    effective = pandel.slope * distance + pandel.c0 + up * (pandel.c1 + pandel.c2 * up)
    rate = 1.0 / pandel.decay + absorption / (LIGHT_NS_PER_METRE * pandel.absorption)
    return effective / pandel.scattering * scattering, rate

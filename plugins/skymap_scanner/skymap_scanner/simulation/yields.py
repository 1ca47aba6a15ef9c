"""How many photoelectrons a module of unit efficiency is expected to see.

Diffusion of light in ice as in IceCube's muon energy reconstruction (NIM A 703 (2013) 190, section 3): near the source light
goes straight, far away it diffuses and is absorbed. Angles of emission and arrival are averaged over.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.physics.photons import SIN_CHERENKOV, TRACK_LIGHT

Array = NDArray[np.float64]

EFFECTIVE_SCATTERING: Final = 25.0
"""m, in average ice, of light of 400 nm."""
ABSORPTION: Final = TRACK_LIGHT.absorption
"""m, in average ice."""
_ZETA: Final = math.exp(-EFFECTIVE_SCATTERING / ABSORPTION)
_PROPAGATION: Final = math.sqrt(ABSORPTION * EFFECTIVE_SCATTERING / 3.0)
_CRITICAL: Final = EFFECTIVE_SCATTERING / (3.0 * _ZETA)

PHOTONS_PER_METRE: Final = 32_440.0
"""Cherenkov photons of 300 to 600 nm from a metre of bare muon track: the formula of Frank and Tamm."""
MODULE_AREA: Final = 0.0004
"""m^2, mean effective area of a module over angles and wavelengths; chosen so that simulated muons of 0.1 to 1 PeV give as
much light as the public alerts of such energies."""
LIGHT_AT_REST: Final = 1.22
"""Light of a track beside that of its own Cherenkov cone: constant part (ibid.)."""
LIGHT_PER_GEV: Final = 1.36e-3
"""The part that grows with energy: showers along the track, here spread evenly over it."""
SHOWER_METRES_PER_GEV: Final = 5.21
"""m of bare track that give as much light as a shower of 1 GeV, as in IceCube's simulation (`ppc`, `clsim`)."""
CLOSEST: Final = 1.0
"""m; nearer than this counts as this."""


def track_yield(distance: Array, energy: float) -> Array:
    """Return expected photoelectrons at distances (n,) in m from a muon of an energy in GeV."""
    r = np.maximum(distance, CLOSEST)
    root = _CRITICAL / SIN_CHERENKOV * math.sqrt(2.0 / (math.pi * _PROPAGATION))
    spread = np.exp(-r / _PROPAGATION) / (root * np.sqrt(r) * np.tanh(np.sqrt(r) / root))
    light = PHOTONS_PER_METRE * MODULE_AREA / (2.0 * math.pi * SIN_CHERENKOV)
    return np.asarray(light * (LIGHT_AT_REST + LIGHT_PER_GEV * energy) * spread)


def shower_yield(distance: Array, energy: float) -> Array:
    """Return expected photoelectrons at distances (n,) in m from a shower of an energy in GeV."""
    r = np.maximum(distance, CLOSEST)
    spread = np.exp(-r / _PROPAGATION) / (_CRITICAL * r * np.tanh(r / _CRITICAL))
    return np.asarray(PHOTONS_PER_METRE * SHOWER_METRES_PER_GEV * energy * MODULE_AREA / (4.0 * math.pi) * spread)

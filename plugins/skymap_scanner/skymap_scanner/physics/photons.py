"""The numbers of the photon model: Cherenkov light in South Pole ice.

Arrival times follow the Pandel parametrisation: the delay of a photon behind one that flies straight is gamma
distributed, with a shape that grows with distance. Sources are named at each number; `docs/physics.md` puts them together.
"""

from __future__ import annotations

import dataclasses
import math

SPEED_OF_LIGHT = 0.299792458
"""m/ns, in vacuum."""
PHASE_INDEX = 1.3195
"""Refractive index of ice for phases: it sets the Cherenkov angle (Price & Woschnagg, Astropart. Phys. 15 (2001) 97)."""
GROUP_INDEX = 1.35634
"""Refractive index of ice for pulses of light: it sets how fast light travels (ibid.)."""
COS_CHERENKOV = 1.0 / PHASE_INDEX
"""Of the angle between a fast particle and its light."""
SIN_CHERENKOV = math.sqrt(1.0 - COS_CHERENKOV**2)
"""Of the same angle."""
DELAY_PER_METRE = (GROUP_INDEX / SIN_CHERENKOV - COS_CHERENKOV / SIN_CHERENKOV) / SPEED_OF_LIGHT
"""ns per metre of distance from the track by which direct light is later than the particle's closest approach."""
LIGHT_NS_PER_METRE = GROUP_INDEX / SPEED_OF_LIGHT
"""ns per metre of flight."""

BLUR = 15.0
"""ns, standard deviation of all that smears a time: the photomultiplier, the clock, and what the model leaves out."""
NOISE_SPAN = 5000.0
"""ns over which first pulses that the model does not explain are spread evenly."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Pandel:
    """Delay density of one kind of light source: gamma with shape xi and rate rho.

    xi = effective distance / `scattering`; rho = 1 / `decay` + light speed / `absorption`; the effective distance is
    `slope` d + `c0` + `c1` cos(eta) + `c2` cos(eta)^2 for a module d metres away, where eta is the angle between the
    light's direct flight and straight up: modules look down, so cos(eta) = 1 is light that arrives head-on.
    """

    scattering: float
    """m, the parameter lambda."""
    decay: float
    """ns, the parameter tau."""
    absorption: float
    """m, the absorption length lambda_a."""
    slope: float = 1.0
    """Effective metres per metre."""
    c0: float = 0.0
    """m."""
    c1: float = 0.0
    """m."""
    c2: float = 0.0
    """m."""

    @property
    def rate(self) -> float:
        """Rho, per ns, in ice of average absorption."""
        return 1.0 / self.decay + 1.0 / (LIGHT_NS_PER_METRE * self.absorption)


TRACK_LIGHT = Pandel(scattering=33.29, decay=556.7, absorption=98.0, slope=0.8395, c0=3.094, c1=-3.946, c2=4.636)
"""Light of a muon: set "H2", bulk ice with bubbly ice in the holes (AMANDA, Nucl. Instrum. Meth. A 524 (2004) 169)."""
SHOWER_LIGHT = Pandel(scattering=47.0, decay=450.0, absorption=98.0)
"""Light of a shower, taken as the same in all directions (AMANDA, Phys. Rev. D 67 (2003) 012003)."""

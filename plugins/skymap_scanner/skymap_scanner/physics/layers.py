"""How the ice at a depth differs from the average, as two factors per module."""

from __future__ import annotations

import numpy as np

from skymap_scanner.detector import ice
from skymap_scanner.physics.model import Array

HALF_WIDTH = 60.0
"""m; the ice that matters to a module reaches this far above and below it."""
POWER = 0.5
"""Exponent that softens the contrast: light crosses more ice than that at the module."""
USUAL = (-50.0, 447.0, 10.0)
"""m, heights (from, to, step) over which the ice counts as average: 1,500 to 2,000 m deep."""


def factors(height: Array) -> tuple[Array, Array]:
    """Scattering and absorption round each module relative to the mean of the detector.

    A factor per module describes the real alerts as well as the integral along the light's path (see `docs/physics.md`).

    Parameters
    ----------
    height : (n,) z in m.

    Returns
    -------
    Two arrays (n,), about 1; more is dirtier ice.
    """
    grid = np.arange(-700.0, 700.0, 2.0)
    window = 2 * int(HALF_WIDTH / 2) + 1
    usual = np.arange(*USUAL)
    found = []
    for length in (ice.scattering_length, ice.absorption_length):
        strength = 1.0 / length(grid) / (1.0 / length(usual)).mean()
        around = np.pad(strength, window // 2, mode="edge")
        found.append(np.interp(height, grid, np.convolve(around, np.full(window, 1.0 / window), "valid")) ** POWER)
    return found[0], found[1]

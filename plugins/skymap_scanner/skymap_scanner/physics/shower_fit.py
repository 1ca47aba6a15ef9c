"""The best vertex and time of a shower."""

from __future__ import annotations

import numpy as np

from skymap_scanner.physics import simplex, track
from skymap_scanner.physics.compiled import kernel
from skymap_scanner.physics.model import Array, Model
from skymap_scanner.physics.photons import LIGHT_NS_PER_METRE

SPACING = 80.0
"""m between the 27 starts, a cube round the centre of the charge."""
QUANTILE = 0.15
"""A start's time is such that this share of the hits is earlier than direct light."""
ROUNDS, ENOUGH = 400, 1e-4
"""A search ends after so many rounds, or when -log L spreads no wider; it is then begun anew once."""


@kernel
def _best(model: Model, starts: Array) -> Array:
    """-log L, x, y, z, time of the best end; starts (n, 4) are moved there."""
    view = track.seen_along(model, track.frame(0.0, 0.0))
    best = np.full(5, np.inf)
    for start in starts:
        for _ in range(2):
            llh = simplex.search(view, start, simplex.SHOWER_STEPS, ROUNDS, ENOUGH)
        if llh < best[0]:
            best[0] = llh
            best[1:] = start
    return best


def best_shower(model: Model) -> list[float]:
    """-log L, x, y, z in m, time in ns of the best shower."""
    side = SPACING * np.arange(-1.0, 2.0)
    points = np.stack(np.meshgrid(side, side, side), axis=-1).reshape(-1, 3)
    distance = np.linalg.norm(model.position[None] - points[:, None], axis=2)
    time = np.quantile(model.time - LIGHT_NS_PER_METRE * distance, QUANTILE, axis=1)
    found = _best(model, np.column_stack([points, time]))
    found[1:] += [*model.centre, model.middle]
    return [float(value) for value in found]

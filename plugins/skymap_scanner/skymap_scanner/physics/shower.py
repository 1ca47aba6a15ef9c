"""Likelihood of a point-like shower: vertex and time. Its light is taken as the same in all directions."""

from __future__ import annotations

import math

from skymap_scanner.physics import spline, track
from skymap_scanner.physics.compiled import kernel
from skymap_scanner.physics.model import Array, Model
from skymap_scanner.physics.photons import LIGHT_NS_PER_METRE, SHOWER_LIGHT
from skymap_scanner.physics.tables import EARLIEST, KNEE, LATEST, PER_U, PER_V, SMALLEST, V_CELLS

_SLOPE, _C0 = SHOWER_LIGHT.slope, SHOWER_LIGHT.c0


@kernel
def value(model: Model, at: Array, room: Array) -> float:
    """-log L at (x, y, z, time), relative to the model's centre and middle."""
    table, position, time, others = model.table, model.position, model.time, model.others
    stretch, per_xi = model.stretch, model.per_xi
    for i in range(time.size):
        x, y, z = position[i, 0] - at[0], position[i, 1] - at[1], position[i, 2] - at[2]
        d = math.sqrt(x * x + y * y + z * z + track.CORE * track.CORE)
        w = max(min((time[i] - at[3] - LIGHT_NS_PER_METRE * d) * stretch[i], LATEST) - EARLIEST, 0.0)
        u = w / (w + KNEE) * PER_U
        v = max(min((math.sqrt(per_xi[i] * (_SLOPE * d + _C0)) - SMALLEST) * PER_V, V_CELLS), 0.0)
        room[2, i] = spline.value(table, u, v, others[i])
    return track.explain(model, room[2])

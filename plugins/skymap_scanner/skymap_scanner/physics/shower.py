"""Likelihood of a point-like shower: vertex and time. Its light is taken as the same in all directions."""

from __future__ import annotations

import math

from skymap_scanner.physics import spline, track
from skymap_scanner.physics.compiled import kernel
from skymap_scanner.physics.model import Array, View
from skymap_scanner.physics.photons import LIGHT_NS_PER_METRE, SHOWER_LIGHT
from skymap_scanner.physics.tables import EARLIEST, KNEE, LATEST, PER_U, PER_V, SMALLEST, STRIDE, V_END

_SLOPE, _C0 = SHOWER_LIGHT.slope, SHOWER_LIGHT.c0


@kernel
def value(view: View, at: Array) -> float:
    """-log L at (x, y, z, time), relative to the model's centre and middle."""
    model, room = view.model, view.room
    table, position, time, others = model.table, model.position, model.time, model.others
    stretch, per_xi = model.stretch, model.per_xi
    for i in range(time.size):
        x, y, z = position[i, 0] - at[0], position[i, 1] - at[1], position[i, 2] - at[2]
        d = math.sqrt(x * x + y * y + z * z + track.CORE * track.CORE)
        w = max(min((time[i] - at[3] - LIGHT_NS_PER_METRE * d) * stretch[i], LATEST) - EARLIEST, 0.0)
        cells_u = w / (w + KNEE) * PER_U
        cells_v = max(min((math.sqrt(per_xi[i] * (_SLOPE * d + _C0)) - SMALLEST) * PER_V, V_END), 0.0)
        cell_u, cell_v = int(cells_u), int(cells_v)
        room[2, i] = spline.value(table, cell_u * STRIDE + cell_v * 2, cells_u - cell_u, cells_v - cell_v, others[i])
    return track.explain(view)

"""Likelihood of an infinite track in a given direction, and its derivatives by what is left: two offsets and the time.

In the frame of the track (e1, e2, p), p being the direction of flight and e2 horizontal, a hit is at (x, y) across the
track and light is late by its time - `time` - `DELAY_PER_METRE` d with d^2 = (x - a)^2 + (y - b)^2 + `CORE`^2: the
likelihood depends on the parameters (a, b, time) through d and (x - a) / d alone.

Each function runs over the hits in several loops with room in between: all but the look-up become vector instructions.
"""

from __future__ import annotations

import math

import numpy as np

from skymap_scanner.physics import spline
from skymap_scanner.physics.compiled import kernel, part
from skymap_scanner.physics.exponential import exp
from skymap_scanner.physics.model import ROOM, Array, Model, View
from skymap_scanner.physics.photons import COS_CHERENKOV, DELAY_PER_METRE, SIN_CHERENKOV, SPEED_OF_LIGHT, TRACK_LIGHT
from skymap_scanner.physics.tables import EARLIEST, KNEE, LARGEST, LATEST, PER_U, PER_V, SMALLEST, STRIDE, V_END

CORE = 1.0
"""m; keeps the likelihood smooth where the track passes through a module."""
_SLOPE, _C0, _C1, _C2 = TRACK_LIGHT.slope, TRACK_LIGHT.c0, TRACK_LIGHT.c1, TRACK_LIGHT.c2
_CHUNK = 16  # likelihoods multiplied before a logarithm is taken: each is above 1e-9


@kernel
def frame(zenith: float, azimuth: float) -> Array:
    """Rows e1, e2, p for an arrival direction."""
    sz, cz, sa, ca = math.sin(zenith), math.cos(zenith), math.sin(azimuth), math.cos(azimuth)
    return np.array([[cz * ca, cz * sa, -sz], [sa, -ca, 0.0], [-sz * ca, -sz * sa, -cz]])


@kernel
def seen_along(model: Model, axes: Array) -> View:
    """The event along axes (3, 3) as of `frame`."""
    position, time = model.position, model.time
    x, y, early = np.empty_like(time), np.empty_like(time), np.empty_like(time)
    for i in range(time.size):
        px, py, pz = position[i, 0], position[i, 1], position[i, 2]
        x[i] = px * axes[0, 0] + py * axes[0, 1] + pz * axes[0, 2]
        y[i] = px * axes[1, 0] + py * axes[1, 1] + pz * axes[1, 2]
        early[i] = time[i] - (px * axes[2, 0] + py * axes[2, 1] + pz * axes[2, 2]) / SPEED_OF_LIGHT
    cell, room = np.empty(time.size, np.int64), np.empty((ROOM, time.size))
    return View(model, x, y, early, SIN_CHERENKOV * axes[0, 2], COS_CHERENKOV * axes[2, 2], cell, room)


@kernel
def _locate(view: View, at: Array) -> None:
    """Find the hits' cells in the table; rows 0 and 1 of the room become the fractions of u and v."""
    stretch, per_xi = view.model.stretch, view.model.per_xi
    xs, ys, times, tilt, lift = view.x, view.y, view.time, view.tilt, view.lift
    cell, room = view.cell, view.room
    a, b, time = at[0], at[1], at[2]
    for i in range(stretch.size):
        x, y = xs[i] - a, ys[i] - b
        d = math.sqrt(x * x + y * y + CORE * CORE)
        w = max(min((times[i] - time - DELAY_PER_METRE * d) * stretch[i], LATEST) - EARLIEST, 0.0)
        per_both = 1.0 / (d * (w + KNEE))  # divisions are slow: one for two
        slant = tilt * x * (w + KNEE) * per_both + lift
        v = math.sqrt(per_xi[i] * (_SLOPE * d + _C0 + slant * (_C1 + slant * _C2)))
        cells_u = w * d * per_both * PER_U
        cells_v = max(min((v - SMALLEST) * PER_V, V_END), 0.0)
        cell_u, cell_v = np.int64(cells_u), np.int64(cells_v)
        cell[i] = cell_u * STRIDE + cell_v * 2
        room[0, i], room[1, i] = cells_u - cell_u, cells_v - cell_v


@kernel
def explain(view: View) -> float:
    """-log L for the tables' logarithms in row 2 of the room."""
    level, signal, noise, room = view.model.level, view.model.signal, view.model.noise, view.room
    for i in range(level.size):
        room[3, i] = noise + signal * exp(room[2, i] + level[i])
    return _negative_log(room)


@kernel
def _negative_log(room: Array) -> float:
    """Minus the sum of the logarithms of the likelihoods in row 3."""
    total, product = 0.0, 1.0
    for i in range(room.shape[1]):
        product *= room[3, i]
        if i % _CHUNK == _CHUNK - 1:
            total -= math.log(product)
            product = 1.0
    return total - math.log(product)


@kernel
def value(view: View, at: Array) -> float:
    """-log L at (a, b, time)."""
    _locate(view, at)
    table, others, cell, room = view.model.table, view.model.others, view.cell, view.room
    for i in range(others.size):
        room[2, i] = spline.value(table, cell[i], room[0, i], room[1, i], others[i])
    return explain(view)


@kernel
def rough(view: View, at: Array) -> float:
    """-log L at (a, b, time) to about 1 %, with kinks: twice as fast as `value`."""
    _locate(view, at)
    nodes, others, cell, room = view.model.nodes, view.model.others, view.cell, view.room
    for i in range(others.size):
        room[2, i] = spline.rough(nodes, cell[i], room[0, i], room[1, i], others[i])
    return explain(view)


@kernel
def derivatives(view: View, at: Array, gradient: Array, hessian: Array) -> float:
    """-log L at (a, b, time), filling its gradient (3,) and Hessian (3, 3)."""
    _locate(view, at)
    table, others, cell, room = view.model.table, view.model.others, view.cell, view.room
    for i in range(others.size):
        room[2, i], room[4, i], room[5, i], room[6, i], room[7, i], room[8, i] = spline.derivatives(
            table, cell[i], room[0, i], room[1, i], others[i]
        )
    _chain(view, at)
    _sum(room, gradient, hessian)
    return _negative_log(room)


@kernel
def _sum(room: Array, gradient: Array, hessian: Array) -> None:
    """Add up what `_chain` leaves of each hit."""
    ga = gb = gt = haa = hab = hbb = hat = hbt = htt = 0.0
    for i in range(room.shape[1]):
        ga, gb, gt = ga + room[0, i], gb + room[1, i], gt + room[2, i]
        haa, hab, hbb = haa + room[4, i], hab + room[5, i], hbb + room[6, i]
        hat, hbt, htt = hat + room[7, i], hbt + room[8, i], htt + room[9, i]
    gradient[0], gradient[1], gradient[2] = ga, gb, gt
    hessian[0, 0], hessian[1, 1], hessian[2, 2] = haa, hbb, htt
    hessian[0, 1] = hessian[1, 0] = hab
    hessian[0, 2] = hessian[2, 0] = hat
    hessian[1, 2] = hessian[2, 1] = hbt


@part
def _bends(nx: float, ny: float, per_d: float, tilt: float, slant: float) -> tuple[float, float, float, float, float]:
    """Derivatives of the effective distance by a, b, aa, ab, bb; nx, ny point from the track to the hit."""
    xx, xy, yy = (1.0 - nx * nx) * per_d, nx * ny * per_d, (1.0 - ny * ny) * per_d
    c1, c2 = (_C1 + 2.0 * _C2 * slant) * tilt, 2.0 * _C2 * tilt * tilt
    return (
        -_SLOPE * nx - c1 * xx,
        -_SLOPE * ny + c1 * xy,
        _SLOPE * xx - 3.0 * c1 * nx * xx * per_d + c2 * xx * xx,
        -_SLOPE * xy + c1 * ny * (3.0 * nx * nx - 1.0) * per_d * per_d - c2 * xx * xy,
        _SLOPE * yy + c1 * nx * (3.0 * ny * ny - 1.0) * per_d * per_d + c2 * xy * xy,
    )


@kernel
def _chain(view: View, at: Array) -> None:
    """Turn log density and its derivatives by cells, rows 2 and 4 to 8, into those of -log L by a, b and time for each hit.

    Rows 0 to 2 become the gradient's terms, 3 the likelihood, 4 to 9 the Hessian's: aa, ab, bb, a time, b time, time time.
    """
    model, room = view.model, view.room
    stretch, per_xi, level, signal, noise = model.stretch, model.per_xi, model.level, model.signal, model.noise
    xs, ys, times, tilt, lift = view.x, view.y, view.time, view.tilt, view.lift
    a, b, time = at[0], at[1], at[2]
    for i in range(level.size):
        x, y = xs[i] - a, ys[i] - b
        d = math.sqrt(x * x + y * y + CORE * CORE)
        per_d = 1.0 / d
        nx, ny = x * per_d, y * per_d
        slant = tilt * nx + lift
        # log density by delay and v
        delay = (times[i] - time - DELAY_PER_METRE * d) * stretch[i]
        per_w = 1.0 / (max(min(delay, LATEST) - EARLIEST, 0.0) + KNEE)
        v = math.sqrt(per_xi[i] * (_SLOPE * d + _C0 + slant * (_C1 + slant * _C2)))
        du = KNEE * PER_U * per_w * per_w * stretch[i] if EARLIEST < delay < LATEST else 0.0
        dv = PER_V if SMALLEST < v < LARGEST else 0.0
        lt, lv = room[4, i] * du, room[5, i] * dv
        ltt = (room[6, i] * du - 2.0 * room[4, i] * per_w * stretch[i]) * du
        ltv, lvv = room[7, i] * du * dv, room[8, i] * dv * dv
        # v and delay by a and b
        da, db, daa, dab, dbb = _bends(nx, ny, per_d, tilt, slant)
        per_v = 1.0 / v
        half = 0.5 * per_xi[i] * per_v
        va, vb = half * da, half * db
        vaa, vab, vbb = half * daa - va * va * per_v, half * dab - va * vb * per_v, half * dbb - vb * vb * per_v
        ta, tb = DELAY_PER_METRE * nx, DELAY_PER_METRE * ny
        bend = lt * DELAY_PER_METRE * per_d
        # log density by a, b and time
        la, lb = lt * ta + lv * va, lt * tb + lv * vb
        laa = ltt * ta * ta + 2.0 * ltv * ta * va + lvv * va * va + lv * vaa - bend * (1.0 - nx * nx)
        lab = ltt * ta * tb + ltv * (ta * vb + tb * va) + lvv * va * vb + lv * vab + bend * nx * ny
        lbb = ltt * tb * tb + 2.0 * ltv * tb * vb + lvv * vb * vb + lv * vbb - bend * (1.0 - ny * ny)
        # -log likelihood, to which noise adds
        explained = signal * exp(room[2, i] + level[i])
        share = explained / (noise + explained)
        rest = 1.0 - share
        room[3, i] = noise + explained
        room[0, i], room[1, i], room[2, i] = -share * la, -share * lb, share * lt
        room[4, i], room[5, i] = -share * (rest * la * la + laa), -share * (rest * la * lb + lab)
        room[6, i] = -share * (rest * lb * lb + lbb)
        room[7, i] = share * (rest * la * lt + ltt * ta + ltv * va)
        room[8, i] = share * (rest * lb * lt + ltt * tb + ltv * vb)
        room[9, i] = -share * (rest * lt * lt + ltt)

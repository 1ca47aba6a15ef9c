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
from skymap_scanner.physics.model import Array, Model
from skymap_scanner.physics.photons import COS_CHERENKOV, DELAY_PER_METRE, SIN_CHERENKOV, SPEED_OF_LIGHT, TRACK_LIGHT
from skymap_scanner.physics.tables import EARLIEST, KNEE, LATEST, PER_U, PER_V, SMALLEST, V_CELLS

CORE = 1.0
"""m; keeps the likelihood smooth where the track passes through a module."""
SCRATCH = 10
"""Rows of the room that the functions need."""
_SLOPE, _C0, _C1, _C2 = TRACK_LIGHT.slope, TRACK_LIGHT.c0, TRACK_LIGHT.c1, TRACK_LIGHT.c2
_CHUNK = 16  # likelihoods multiplied before a logarithm is taken: each is above 1e-9


@kernel
def frame(zenith: float, azimuth: float) -> Array:
    """Rows e1, e2, p for an arrival direction."""
    sz, cz, sa, ca = math.sin(zenith), math.cos(zenith), math.sin(azimuth), math.cos(azimuth)
    return np.array([[cz * ca, cz * sa, -sz], [sa, -ca, 0.0], [-sz * ca, -sz * sa, -cz]])


@kernel
def project(model: Model, axes: Array) -> Array:
    """Hits in the frame of the track: rows x, y (m) and the time less the particle's travel (ns)."""
    position, time = model.position, model.time
    hits = np.empty((3, time.size))
    for i in range(time.size):
        px, py, pz = position[i, 0], position[i, 1], position[i, 2]
        hits[0, i] = px * axes[0, 0] + py * axes[0, 1] + pz * axes[0, 2]
        hits[1, i] = px * axes[1, 0] + py * axes[1, 1] + pz * axes[1, 2]
        hits[2, i] = time[i] - (px * axes[2, 0] + py * axes[2, 1] + pz * axes[2, 2]) / SPEED_OF_LIGHT
    return hits


@kernel
def _locate(model: Model, axes: Array, hits: Array, at: Array, room: Array) -> None:
    """Fill rows 0 and 1 of the room with the hits' places in the table, in cells."""
    stretch, per_xi = model.stretch, model.per_xi
    tilt, lift = SIN_CHERENKOV * axes[0, 2], COS_CHERENKOV * axes[2, 2]
    a, b, time = at[0], at[1], at[2]
    for i in range(stretch.size):
        x, y = hits[0, i] - a, hits[1, i] - b
        d = math.sqrt(x * x + y * y + CORE * CORE)
        slant = tilt * x / d + lift
        delay = (hits[2, i] - time - DELAY_PER_METRE * d) * stretch[i]
        v = math.sqrt(per_xi[i] * (_SLOPE * d + _C0 + slant * (_C1 + slant * _C2)))
        w = max(min(delay, LATEST) - EARLIEST, 0.0)
        room[0, i] = w / (w + KNEE) * PER_U
        room[1, i] = max(min((v - SMALLEST) * PER_V, V_CELLS), 0.0)


@kernel
def _negative_log(likelihoods: Array) -> float:
    """Minus the sum of the logarithms."""
    total, product = 0.0, 1.0
    for i in range(likelihoods.size):
        product *= likelihoods[i]
        if i % _CHUNK == _CHUNK - 1:
            total -= math.log(product)
            product = 1.0
    return total - math.log(product)


@kernel
def value(model: Model, axes: Array, hits: Array, at: Array, room: Array) -> float:
    """-log L at (a, b, time)."""
    _locate(model, axes, hits, at, room)
    table, others = model.table, model.others
    for i in range(others.size):
        room[2, i] = spline.value(table, room[0, i], room[1, i], others[i])
    return explain(model, room[2])


@kernel
def rough(model: Model, axes: Array, hits: Array, at: Array, room: Array) -> float:
    """-log L at (a, b, time) to about 1 %, with kinks: twice as fast as `value`."""
    _locate(model, axes, hits, at, room)
    nodes, others = model.nodes, model.others
    for i in range(others.size):
        room[2, i] = spline.rough(nodes, room[0, i], room[1, i], others[i])
    return explain(model, room[2])


@kernel
def explain(model: Model, logs: Array) -> float:
    """-log L for the tables' logarithms, which are overwritten."""
    level, signal, noise = model.level, model.signal, model.noise
    for i in range(level.size):
        logs[i] = noise + signal * exp(logs[i] + level[i])
    return _negative_log(logs)


@kernel
def derivatives(model: Model, axes: Array, hits: Array, at: Array, room: Array, gradient: Array, hessian: Array) -> float:
    """-log L at (a, b, time), filling its gradient (3,) and Hessian (3, 3)."""
    _locate(model, axes, hits, at, room)
    table, others = model.table, model.others
    for i in range(others.size):
        spline.derivatives(table, room[0, i], room[1, i], others[i], room[2:8, i])
    _chain(model, axes, hits, at, room)
    ga = gb = gt = haa = hab = hbb = hat = hbt = htt = 0.0
    for i in range(others.size):
        ga, gb, gt = ga + room[1, i], gb + room[2, i], gt + room[3, i]
        haa, hab, hbb = haa + room[4, i], hab + room[5, i], hbb + room[6, i]
        hat, hbt, htt = hat + room[7, i], hbt + room[8, i], htt + room[9, i]
    gradient[0], gradient[1], gradient[2] = ga, gb, gt
    hessian[0, 0], hessian[1, 1], hessian[2, 2] = haa, hbb, htt
    hessian[0, 1] = hessian[1, 0] = hab
    hessian[0, 2] = hessian[2, 0] = hat
    hessian[1, 2] = hessian[2, 1] = hbt
    return _negative_log(room[0])


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
def _chain(model: Model, axes: Array, hits: Array, at: Array, room: Array) -> None:
    """Turn rows 2 to 7, log density and its derivatives by cells, into those of -log L by a, b and time for each hit.

    Row 0 becomes the likelihood, 1 to 3 the gradient's terms, 4 to 9 the Hessian's: aa, ab, bb, a time, b time, time time.
    """
    stretch, per_xi, level, signal, noise = model.stretch, model.per_xi, model.level, model.signal, model.noise
    tilt, lift = SIN_CHERENKOV * axes[0, 2], COS_CHERENKOV * axes[2, 2]
    a, b, time = at[0], at[1], at[2]
    for i in range(level.size):
        x, y = hits[0, i] - a, hits[1, i] - b
        d = math.sqrt(x * x + y * y + CORE * CORE)
        per_d = 1.0 / d
        nx, ny = x * per_d, y * per_d
        slant = tilt * nx + lift
        # log density by delay and v
        delay = (hits[2, i] - time - DELAY_PER_METRE * d) * stretch[i]
        per_w = 1.0 / (max(min(delay, LATEST) - EARLIEST, 0.0) + KNEE)
        du = KNEE * PER_U * per_w * per_w * stretch[i] if EARLIEST < delay < LATEST else 0.0
        dv = PER_V if 0.0 < room[1, i] < V_CELLS else 0.0
        lt, lv = room[3, i] * du, room[4, i] * dv
        ltt = (room[5, i] * du - 2.0 * room[3, i] * per_w * stretch[i]) * du
        ltv, lvv = room[6, i] * du * dv, room[7, i] * dv * dv
        # v and delay by a and b
        da, db, daa, dab, dbb = _bends(nx, ny, per_d, tilt, slant)
        v = math.sqrt(per_xi[i] * (_SLOPE * d + _C0 + slant * (_C1 + slant * _C2)))
        per_v = 1.0 / v
        half = 0.5 * per_xi[i] * per_v
        va, vb = half * da, half * db
        vaa, vab, vbb = half * daa - va * va * per_v, half * dab - va * vb * per_v, half * dbb - vb * vb * per_v
        ta, tb = DELAY_PER_METRE * nx, DELAY_PER_METRE * ny
        bend = lt * DELAY_PER_METRE * per_d
        # log density by a, b and time
        la, lb = lt * ta + lv * va, lt * tb + lv * vb
        explained = signal * exp(room[2, i] + level[i])
        likelihood = noise + explained
        share = explained / likelihood
        rest = 1.0 - share
        laa = ltt * ta * ta + 2.0 * ltv * ta * va + lvv * va * va + lv * vaa - bend * (1.0 - nx * nx)
        lab = ltt * ta * tb + ltv * (ta * vb + tb * va) + lvv * va * vb + lv * vab + bend * nx * ny
        lbb = ltt * tb * tb + 2.0 * ltv * tb * vb + lvv * vb * vb + lv * vbb - bend * (1.0 - ny * ny)
        room[0, i] = likelihood
        room[1, i], room[2, i], room[3, i] = -share * la, -share * lb, share * lt
        room[4, i], room[5, i] = -share * (rest * la * la + laa), -share * (rest * la * lb + lab)
        room[6, i] = -share * (rest * lb * lb + lbb)
        room[7, i] = share * (rest * la * lt + ltt * ta + ltv * va)
        room[8, i] = share * (rest * lb * lt + ltt * tb + ltv * vb)
        room[9, i] = -share * (rest * lt * lt + ltt)

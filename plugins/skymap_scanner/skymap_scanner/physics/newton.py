"""Damped Newton steps down to the nearest minimum of -log L of a track."""

from __future__ import annotations

import math

import numpy as np

from skymap_scanner.physics import track
from skymap_scanner.physics.compiled import kernel
from skymap_scanner.physics.copying import copy
from skymap_scanner.physics.model import Array, View

SCALES = np.array([1.0, 1.0, 3.3])
"""What counts as an equally large change of a, b (m) and time (ns)."""
LONGEST = 100.0
"""The longest step, in these units."""
ENOUGH = 1e-4
"""A step that promises less in -log L is not taken: the end."""
TRIALS = 100
"""At most so many steps are tried."""


@kernel
def solve(gradient: Array, hessian: Array, damping: float, factor: Array, step: Array) -> bool:
    """Solve (H + damping / scale^2) step = -gradient by Cholesky factors; False where that is not positive definite."""
    for i in range(3):
        weight = SCALES[i] * SCALES[i]
        for j in range(i + 1):
            total = hessian[i, j]
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            if i > j:
                factor[i, j] = total / factor[j, j]
                continue
            total += damping / weight
            if total * weight < 1e-9:
                return False
            factor[i, i] = math.sqrt(total)
    for i in range(3):
        total = -gradient[i]
        for k in range(i):
            total -= factor[i, k] * step[k]
        step[i] = total / factor[i, i]
    for i in range(2, -1, -1):
        total = step[i]
        for k in range(i + 1, 3):
            total -= factor[k, i] * step[k]
        step[i] = total / factor[i, i]
    return True


@kernel
def promise(gradient: Array, hessian: Array, step: Array) -> float:
    """By how much -log L falls after a step, to second order."""
    total = 0.0
    for i in range(3):
        total -= gradient[i] * step[i]
        for j in range(3):
            total -= 0.5 * hessian[i, j] * step[i] * step[j]
    return total


@kernel
def descend(view: View, at: Array) -> float:
    """Move (a, b, time) to the minimum it leads to, in place; returns -log L there.

    Levenberg-Marquardt on the full Hessian; the damping follows how well steps keep their
    promise (Nielsen, IMM-REP-1999-05).
    """
    gradient, hessian, factor, step = np.empty(3), np.empty((3, 3)), np.empty((3, 3)), np.empty(3)
    trial, new_gradient, new_hessian = np.empty(3), np.empty(3), np.empty((3, 3))
    best = track.derivatives(view, at, gradient, hessian)
    damping, growth = 1e-3, 2.0
    for _ in range(TRIALS):
        length = 0.0
        definite = solve(gradient, hessian, damping, factor, step)
        for k in range(3):
            length += (step[k] / SCALES[k]) ** 2
        if not definite or length > LONGEST * LONGEST:
            damping = max(4.0 * damping, 1e-3)
            continue
        promised = promise(gradient, hessian, step)
        if promised < ENOUGH:
            break
        for k in range(3):
            trial[k] = at[k] + step[k]
        llh = track.derivatives(view, trial, new_gradient, new_hessian)
        if llh < best:
            kept = (best - llh) / promised
            damping *= max(0.1, 1.0 - (2.0 * kept - 1.0) ** 3) if kept < 1.5 else 1.0
            growth = 2.0
            best = llh
            copy(trial, at)
            copy(new_gradient, gradient)
            for k in range(3):
                copy(new_hessian[k], hessian[k])
        else:
            damping = max(damping, 1e-4) * growth
            growth *= 2.0
    return best

"""Nanoseconds per module-evaluation of the likelihood's kernels: `python bench/kernels.py [EVENT]`.

Without an event the light of a made-up track is used. The shortest of many short runs
counts, so that a busy machine does little harm.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from skymap_scanner.detector.geometry import modules
from skymap_scanner.hits import Hits, hits_of
from skymap_scanner.physics import track
from skymap_scanner.physics.compiled import kernel
from skymap_scanner.physics.direction import free_minimum
from skymap_scanner.physics.likelihood import track_model
from skymap_scanner.physics.model import Array, View
from skymap_scanner.physics.photons import DELAY_PER_METRE, SPEED_OF_LIGHT
from skymap_scanner.physics.profile import across
from skymap_scanner.physics.spline import _bends, _dot, _slopes, _weights
from skymap_scanner.reading import load_alert
from skymap_scanner.recos.mpe import SETTINGS

REPEATS, RUNS = 100, 400


@kernel
def repeat_rough(view: View, at: Array, times: int) -> float:
    total = 0.0
    for _ in range(times):
        total += track.rough(view, at)
    return total


@kernel
def repeat_value(view: View, at: Array, times: int) -> float:
    total = 0.0
    for _ in range(times):
        total += track.value(view, at)
    return total


@kernel
def repeat_derivatives(view: View, at: Array, times: int) -> float:
    total, gradient, hessian = 0.0, np.empty(3), np.empty((3, 3))
    for _ in range(times):
        total += track.derivatives(view, at, gradient, hessian)
    return total


@kernel
def arithmetic_of_value(view: View, at: Array, times: int) -> float:
    """What `value` calculates, with coefficients from registers instead of the table: all of it vector instructions."""
    room, others, total = view.room, view.model.others, 0.0
    for _ in range(times):
        track._locate(view, at)
        for i in range(others.size):
            f, g, m = room[0, i], room[1, i], others[i]
            row = (at[0] + m * at[1], at[1] + m * at[2], at[2] + m * at[0], at[0] - m * at[2])
            w = _weights(g)
            rows = (_dot(row, w), _dot(row, w) * m, _dot(row, w) * f, _dot(row, w) * g)
            room[2, i] = 1e-9 * _dot(_weights(f), rows)
        total += track.explain(view)
    return total


@kernel
def arithmetic_of_derivatives(view: View, at: Array, times: int) -> float:
    """The same for `derivatives`."""
    room, others, total = view.room, view.model.others, 0.0
    gradient, hessian = np.empty(3), np.empty((3, 3))
    for _ in range(times):
        track._locate(view, at)
        for i in range(others.size):
            f, g, m = room[0, i], room[1, i], others[i]
            row = (at[0] + m * at[1], at[1] + m * at[2], at[2] + m * at[0], at[0] - m * at[2])
            w, s, b = _weights(g), _slopes(g), _bends(g)
            plain = (_dot(row, w), _dot(row, w) * m, _dot(row, w) * f, _dot(row, w) * g)
            slope = (_dot(row, s), _dot(row, s) * m, _dot(row, s) * f, _dot(row, s) * g)
            bend = (_dot(row, b), _dot(row, b) * m, _dot(row, b) * f, _dot(row, b) * g)
            w, s, b = _weights(f), _slopes(f), _bends(f)
            room[2, i], room[4, i], room[5, i] = 1e-9 * _dot(w, plain), _dot(s, plain), _dot(w, slope)
            room[6, i], room[7, i], room[8, i] = _dot(b, plain), _dot(s, slope), _dot(w, bend)
        track._chain(view, at)
        track._sum(room, gradient, hessian)
        total += track._negative_log(room)
    return total


KERNELS: dict[str, Callable[..., Any]] = {
    "rough (searches)": repeat_rough,
    "value": repeat_value,
    "value, arithmetic alone": arithmetic_of_value,
    "value, gradient and Hessian": repeat_derivatives,
    "the same, arithmetic alone": arithmetic_of_derivatives,
}


def made_up() -> Hits:
    """A track through the middle."""
    rng = np.random.default_rng(1)
    position = modules().position
    distance = np.hypot(position[:, 1], position[:, 2])
    seen = np.flatnonzero((distance < 60.0) & (modules().string < 79))
    when = 1e4 - position[seen, 0] / SPEED_OF_LIGHT + DELAY_PER_METRE * distance[seen]
    return Hits(
        string=modules().string[seen],
        om=modules().om[seen],
        position=position[seen],
        time=when + rng.gamma(distance[seen] / 40.0 + 0.1, 60.0),
        charge=rng.gamma(2.0, 2.0, len(seen)),
    )


def main() -> None:
    """Print one table."""
    hits = hits_of(load_alert(Path(sys.argv[1]))) if len(sys.argv) > 1 else made_up()
    model = track_model(hits, SETTINGS)
    best = free_minimum(model)
    axes, at = track.frame(best.zenith, best.azimuth), np.empty(3)
    across(axes, np.array(best.vertex) - [*model.centre, model.middle], at)
    view = track.seen_along(model, axes)
    print(f"{len(hits)} modules\n\nkernel | ns per module\n--- | ---")
    for name, repeated in KERNELS.items():
        repeated(view, at, 1)
        shortest = np.inf
        for _ in range(RUNS):
            began = time.perf_counter()
            repeated(view, at, REPEATS)
            shortest = min(shortest, time.perf_counter() - began)
        print(f"{name} | {shortest / REPEATS / len(hits) * 1e9:.1f}")


if __name__ == "__main__":
    main()

"""Evaluating the tables: uniform bicubic B-splines."""

from __future__ import annotations

from skymap_scanner.physics.compiled import part
from skymap_scanner.physics.model import Array
from skymap_scanner.physics.tables import U_CELLS, V_CELLS, Table

Four = tuple[float, float, float, float]


@part
def _weights(f: float) -> Four:
    """Of the four coefficients round a cell, at fraction f of it."""
    e = 1.0 - f
    sixth = 1.0 / 6.0
    return e * e * e * sixth, (0.5 * f - 1.0) * f * f + 4 * sixth, (0.5 * e - 1.0) * e * e + 4 * sixth, f * f * f * sixth


@part
def _slopes(f: float) -> Four:
    """First derivatives of the weights."""
    e = 1.0 - f
    return -0.5 * e * e, (1.5 * f - 2.0) * f, (2.0 - 1.5 * e) * e, 0.5 * f * f


@part
def _bends(f: float) -> Four:
    """Second derivatives of the weights."""
    return 1.0 - f, 3.0 * f - 2.0, 1.0 - 3.0 * f, f


@part
def _dot(a: Four, b: Four) -> float:
    return (a[0] * b[0] + a[1] * b[1]) + (a[2] * b[2] + a[3] * b[3])


@part
def _row(table: Table, i: int, j: int, m: float) -> Four:
    """Four coefficients along v of log density + m log survival."""
    return (
        table[i, j, 0] + m * table[i, j, 1],
        table[i, j + 1, 0] + m * table[i, j + 1, 1],
        table[i, j + 2, 0] + m * table[i, j + 2, 1],
        table[i, j + 3, 0] + m * table[i, j + 3, 1],
    )


@part
def value(table: Table, u: float, v: float, m: float) -> float:
    """Log density + m log survival at (u, v), in cells."""
    i, j = max(min(int(u), U_CELLS - 1), 0), max(min(int(v), V_CELLS - 1), 0)
    w = _weights(v - j)
    rows = (
        _dot(_row(table, i, j, m), w),
        _dot(_row(table, i + 1, j, m), w),
        _dot(_row(table, i + 2, j, m), w),
        _dot(_row(table, i + 3, j, m), w),
    )
    return _dot(_weights(u - i), rows)


@part
def derivatives(table: Table, u: float, v: float, m: float, out: Array) -> None:
    """The same, and its derivatives by u, v, uu, uv, vv, into `out` (6,)."""
    i, j = max(min(int(u), U_CELLS - 1), 0), max(min(int(v), V_CELLS - 1), 0)
    w, s, b = _weights(v - j), _slopes(v - j), _bends(v - j)
    c0, c1 = _row(table, i, j, m), _row(table, i + 1, j, m)
    c2, c3 = _row(table, i + 2, j, m), _row(table, i + 3, j, m)
    plain = _dot(c0, w), _dot(c1, w), _dot(c2, w), _dot(c3, w)
    slope = _dot(c0, s), _dot(c1, s), _dot(c2, s), _dot(c3, s)
    bend = _dot(c0, b), _dot(c1, b), _dot(c2, b), _dot(c3, b)
    w, s, b = _weights(u - i), _slopes(u - i), _bends(u - i)
    out[0], out[1], out[2] = _dot(w, plain), _dot(s, plain), _dot(w, slope)
    out[3], out[4], out[5] = _dot(b, plain), _dot(s, slope), _dot(w, bend)


@part
def rough(nodes: Table, u: float, v: float, m: float) -> float:
    """Log density + m log survival at (u, v), linear between the values at the nodes: half the work of the spline."""
    i, j = max(min(int(u), U_CELLS - 1), 0), max(min(int(v), V_CELLS - 1), 0)
    f, g = u - i, v - j
    near = (1.0 - g) * (nodes[i, j, 0] + m * nodes[i, j, 1]) + g * (nodes[i, j + 1, 0] + m * nodes[i, j + 1, 1])
    next_ = (1.0 - g) * (nodes[i + 1, j, 0] + m * nodes[i + 1, j, 1]) + g * (
        nodes[i + 1, j + 1, 0] + m * nodes[i + 1, j + 1, 1]
    )
    return (1.0 - f) * near + f * next_

"""Looking up the tables: uniform bicubic B-splines, and bilinear interpolation for rough searches.

A table is flat; `cell` is where the coefficients of a cell of (u, v) begin, f and g are the fractions of the cell.
"""

from __future__ import annotations

from skymap_scanner.physics.compiled import part
from skymap_scanner.physics.model import Array
from skymap_scanner.physics.tables import STRIDE

Four = tuple[float, float, float, float]
Six = tuple[float, float, float, float, float, float]


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
def _row(table: Array, k: int, m: float) -> Four:
    """Four coefficients along v of log density + m log survival."""
    return (
        table[k] + m * table[k + 1],
        table[k + 2] + m * table[k + 3],
        table[k + 4] + m * table[k + 5],
        table[k + 6] + m * table[k + 7],
    )


@part
def value(table: Array, cell: int, f: float, g: float, m: float) -> float:
    """Log density + m log survival."""
    k = max(cell, 0)  # so that the compiler knows: no index counts from the end
    w = _weights(g)
    r0, r1 = _dot(_row(table, k, m), w), _dot(_row(table, k + STRIDE, m), w)
    r2, r3 = _dot(_row(table, k + 2 * STRIDE, m), w), _dot(_row(table, k + 3 * STRIDE, m), w)
    return _dot(_weights(f), (r0, r1, r2, r3))


@part
def derivatives(table: Array, cell: int, f: float, g: float, m: float) -> Six:
    """The same, and its derivatives by u, v, uu, uv, vv, in units of cells."""
    k = max(cell, 0)
    c0, c1 = _row(table, k, m), _row(table, k + STRIDE, m)
    c2, c3 = _row(table, k + 2 * STRIDE, m), _row(table, k + 3 * STRIDE, m)
    w, s, b = _weights(g), _slopes(g), _bends(g)
    plain = _dot(c0, w), _dot(c1, w), _dot(c2, w), _dot(c3, w)
    slope = _dot(c0, s), _dot(c1, s), _dot(c2, s), _dot(c3, s)
    bend = _dot(c0, b), _dot(c1, b), _dot(c2, b), _dot(c3, b)
    w, s, b = _weights(f), _slopes(f), _bends(f)
    return _dot(w, plain), _dot(s, plain), _dot(w, slope), _dot(b, plain), _dot(s, slope), _dot(w, bend)


@part
def rough(nodes: Array, cell: int, f: float, g: float, m: float) -> float:
    """Log density + m log survival, linear between the values at the nodes: a third of the work of the spline."""
    k = max(cell, 0)
    e = 1.0 - g
    near = e * (nodes[k] + m * nodes[k + 1]) + g * (nodes[k + 2] + m * nodes[k + 3])
    k += STRIDE
    far = e * (nodes[k] + m * nodes[k + 1]) + g * (nodes[k + 2] + m * nodes[k + 3])
    found: float = near + f * (far - near)
    return found

"""Contour lines on the sphere."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.maps.mesh import Mesh


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Contour:
    """Where the map crosses one level."""

    loops: tuple[NDArray[np.float64], ...]
    """Closed lines, longest first, each (n, 3) unit vectors, the region to the left; the last point joins the first."""
    area: float
    """Of the region inside, steradians."""


def contour_of(mesh: Mesh, two_delta: float) -> Contour:
    """Return the line where the map is at `two_delta`, linear between the centres of cells in the height of the mesh.

    Where a cell below the level borders on unknown sky, the line runs along its edge.
    """
    above = mesh.heights - np.sqrt(two_delta)
    inside = above < 0
    count = inside[mesh.triangles].sum(axis=1)
    crossed = _turned(mesh.triangles[(count == 1) | (count == 2)], inside)
    lonely = inside[crossed[:, 0]]
    start, end = (_crossing(mesh, above, crossed[:, 0], other) for other in (crossed[:, 1], crossed[:, 2]))
    corner = _triangle_areas(mesh.vertices[crossed[:, 0]], start, end)
    whole = _triangle_areas(*(mesh.vertices[crossed[:, k]] for k in range(3)))
    full = _triangle_areas(*(mesh.vertices[mesh.triangles[count == 3][:, k]] for k in range(3)))
    return Contour(
        loops=_loops(crossed, lonely, start, end),
        area=float(full.sum() + np.where(lonely, corner, whole - corner).sum()),
    )


def _turned(triangles: NDArray[np.int64], inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Turn triangles so that their first corner is the one that is alone on its side of the level."""
    sides = inside[triangles]
    alone = np.where(sides.sum(axis=1) == 1, sides.argmax(axis=1), sides.argmin(axis=1))
    return np.take_along_axis(triangles, (alone[:, None] + np.arange(3)) % 3, axis=1)


def _crossing(
    mesh: Mesh, above: NDArray[np.float64], one: NDArray[np.int64], other: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return where the level crosses edges between vertices of which one is below it; (n,) each to (n, 3)."""
    # Both triangles of an edge must find the same point to the last bit, so it is always walked from the inside out.
    low, high = np.where(above[one] < 0, one, other), np.where(above[one] < 0, other, one)
    along = mesh.vertices[high] - mesh.vertices[low]
    edge = mesh.widths[low] / 2 / np.linalg.norm(along, axis=1)
    fraction = np.where(np.isnan(above[high]), np.minimum(edge, 0.5), above[low] / (above[low] - above[high]))
    point = mesh.vertices[low] + fraction[:, None] * along
    return np.asarray(point / np.linalg.norm(point, axis=1, keepdims=True))


def _triangle_areas(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return steradians of spherical triangles with corners (n, 3); Eriksson 1990, Math. Mag. 63, 184."""
    dot = [np.einsum("ij,ij->i", p, q) for p, q in ((a, b), (b, c), (c, a))]
    # Differences first: the product of three nearly equal vectors would lose all digits of a small triangle.
    volume = np.einsum("ij,ij->i", a, np.cross(b - a, c - a))
    areas: NDArray[np.float64] = 2 * np.arctan2(np.abs(volume), 1 + dot[0] + dot[1] + dot[2])
    return areas


def _loops(
    triangles: NDArray[np.int64], lonely: NDArray[np.bool_], start: NDArray[np.float64], end: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """Chain the pieces, one per triangle, into closed lines with the inside to the left."""
    edges = np.sort(triangles[:, [[0, 1], [0, 2]]], axis=2)
    # With a lone corner inside, walking from its first to its second edge keeps it to the left.
    edges[~lonely] = edges[~lonely][:, ::-1]
    points = np.where(lonely[:, None], start, end)
    following = {tuple(edge[0]): (tuple(edge[1]), k) for k, edge in enumerate(edges.tolist())}
    loops = []
    while following:
        edge = next(iter(following))
        loop = []
        while edge in following:
            edge, piece = following.pop(edge)
            loop.append(piece)
        loops.append(points[loop])
    return tuple(sorted(loops, key=len, reverse=True))

"""The map as a surface of triangles round the whole sphere, so that neither poles nor right ascension 0 are special."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.maps.cells import Cells


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Mesh:
    """Triangles between the centres of cells, and the height of the map there."""

    vertices: NDArray[np.float64]
    """(n, 3) unit vectors."""
    heights: NDArray[np.float64]
    """(n,) root of 2 (llh - lowest llh), which is about linear in the angle; NaN where there is no value."""
    widths: NDArray[np.float64]
    """(n,) of the cells, radians."""
    triangles: NDArray[np.int64]
    """(m, 3) positions in `vertices`, counterclockwise seen from outside."""


def mesh_of(cells: Cells) -> Mesh:
    """Triangulate the sphere: the convex hull of points on a sphere is their Delaunay triangulation."""
    from scipy.spatial import ConvexHull

    vertices = cells.centres
    triangles = ConvexHull(vertices).simplices.astype(np.int64)
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    clockwise = np.einsum("ij,ij->i", np.cross(b - a, c - a), a + b + c) < 0
    triangles[clockwise] = triangles[clockwise][:, ::-1]
    return Mesh(vertices=vertices, heights=np.sqrt(cells.two_delta), widths=np.sqrt(cells.area), triangles=triangles)

"""Make the shipped tables: `python -m skymap_scanner.physics.tabulate` writes them to `physics/data/`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from skymap_scanner.physics import density, tables
from skymap_scanner.physics.photons import BLUR, SHOWER_LIGHT, TRACK_LIGHT, Pandel

LIGHTS = {"track": TRACK_LIGHT, "shower": SHOWER_LIGHT}
"""What is tabulated."""


def coefficients(light: Pandel) -> tables.Table:
    """Spline coefficients of log density and log survival, as `tables.load` returns them."""
    u = np.linspace(0.0, tables.U_MAX, tables.U_CELLS + 1)
    delay = tables.EARLIEST + tables.KNEE * u / (1.0 - u)
    shape = np.linspace(tables.SMALLEST, tables.LARGEST, tables.V_CELLS + 1) ** 2
    grid = np.meshgrid(delay, shape, indexing="ij")
    values = [function(*grid, light.rate, BLUR) for function in (density.log_density, density.log_survival)]
    return np.stack([_spline(_spline(value).T).T for value in values], axis=-1)


def _spline(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Coefficients (n + 2, m) of the uniform cubic B-spline through values (n, m); the ends are "not a knot"."""
    n = len(values)
    matrix = np.zeros((n + 2, n + 2))
    for row in range(n):
        matrix[row + 1, row : row + 3] = 1 / 6, 4 / 6, 1 / 6
    matrix[0, :5] = matrix[-1, -5:] = 1, -4, 6, -4, 1
    return np.asarray(np.linalg.solve(matrix, np.pad(values, ((1, 1), (0, 0)))))


def main() -> None:
    """Write all tables."""
    for name, light in LIGHTS.items():
        np.save(Path(__file__).parent / "data" / f"{name}_light.npy", coefficients(light))


if __name__ == "__main__":
    main()

"""Probability on the sky: the likelihood with every direction equally probable beforehand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.maps.cells import Cells


def probability_of(cells: Cells) -> NDArray[np.float64]:
    """Return the probability (n,) in each cell; they sum to 1, and cells without value have none.

    exp(-llh) times the cell's area, normalised. All zero while no cell has a value.
    """
    mass = np.where(cells.known, np.exp(-np.nan_to_num(cells.two_delta) / 2), 0.0) * cells.area
    return mass / (mass.sum() or 1.0)


def credible_area(cells: Cells, probability: NDArray[np.float64], content: float) -> float:
    """Return the steradians of the smallest region with this much probability.

    Cells are taken by falling density and the last one in part, as `ligo.skymap` does.

    Parameters
    ----------
    cells
        The map.
    probability
        (n,) of each cell.
    content
        Between 0 and 1.
    """
    sequence = np.argsort(-probability / cells.area, kind="stable")
    mass = np.concatenate([[0.0], np.cumsum(probability[sequence])])
    area = np.concatenate([[0.0], np.cumsum(cells.area[sequence])])
    if mass[-1] == 0.0:
        return 4 * np.pi
    return float(np.interp(content * mass[-1], mass, area))

"""A floor on the angular error: the map smoothed with a Gaussian on the sphere."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.maps import healpixels
from skymap_scanner.maps.cells import Cells, cover
from skymap_scanner.maps.probability import probability_of

REACH = 5.0
"""How far a Gaussian is followed, in units of its sigma."""

FINENESS = 4.0
"""Pixels to a sigma, at least."""

NEGLIGIBLE = 1e-9
"""Probability that may stay where it is."""


def smoothed(cells: Cells, sigma: float) -> Cells:
    """Return the map with its probability spread by a Gaussian; `llh` is minus the logarithm of what comes out.

    Cells larger than sigma are left alone, for them a floor so small makes no difference. All probability is kept. The work
    is proportional to the number of pixels of about sigma / 4 that the result needs.

    Parameters
    ----------
    cells
        The map.
    sigma
        Radians, in each of the two directions.
    """
    order = min(math.ceil(math.log2(math.sqrt(math.pi / 3) * FINENESS / sigma)), healpixels.FINEST_ORDER)
    probability = probability_of(cells)
    moved = (np.sqrt(cells.area) < sigma) & (probability > 0)
    moved[moved] = _matters(probability[moved])
    if not moved.any():
        return cells
    sources, mass = _at_order(cells, probability, moved, order)
    targets = _within(healpixels.centres_of(order, sources), REACH * sigma, order)
    spread = _spread(sources, mass, targets, sigma, order)
    # Logarithms, because most of the sky has less probability than a number can hold.
    left = cells.two_delta / 2 + math.log(np.sum(np.exp(-cells.two_delta[cells.known] / 2) * cells.area[cells.known]))
    below = np.where(moved | ~cells.known, np.inf, left)[cells.at(healpixels.centres_of(order, targets))]
    new = -np.logaddexp(np.log(spread / healpixels.pixel_area(order)), -below)
    covered = (cells.order >= order) & np.isin(cells.index >> np.maximum(2 * (cells.order - order), 0), targets)
    kept = cells.known & ~moved & ~covered
    values = {int(one): _sorted(cells.index[of := kept & (cells.order == one)], left[of]) for one in np.unique(cells.order)}
    at_order = values.get(order, (targets[:0], new[:0]))
    values[order] = _sorted(np.concatenate([at_order[0], targets]), np.concatenate([at_order[1], new]))
    return cover(values)


def _matters(probability: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which cells are more than the negligible rest."""
    sequence = np.argsort(probability)
    matters = np.empty(len(probability), dtype=bool)
    matters[sequence] = np.cumsum(probability[sequence]) > NEGLIGIBLE
    return matters


def _at_order(
    cells: Cells, probability: NDArray[np.float64], moved: NDArray[np.bool_], order: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the cells that are moved as pixels of one order, each once and sorted, and their probability."""
    pixels, mass = [], []
    for one in np.unique(cells.order[moved]):
        of = moved & (cells.order == one)
        steps = 2 * (order - int(one))
        if steps >= 0:
            pixels.append(((cells.index[of, None] << steps) + np.arange(1 << steps)).ravel())
            mass.append(np.repeat(probability[of] / (1 << steps), 1 << steps))
        else:
            pixels.append(cells.index[of] >> -steps)
            mass.append(probability[of])
    once, position = np.unique(np.concatenate(pixels), return_inverse=True)
    return once, np.bincount(position, weights=np.concatenate(mass)).astype(np.float64)


def _within(centres: NDArray[np.float64], radius: float, order: int) -> NDArray[np.int64]:
    """Return the pixels whose centres are within a radius of any of some directions, found from coarse to fine."""
    from scipy.spatial import cKDTree

    tree = cKDTree(centres)
    pixels = np.arange(12, dtype=np.int64)
    for one in range(order + 1):
        # No corner of a pixel is farther from its centre than its width.
        margin = math.sqrt(healpixels.pixel_area(one)) if one < order else 0.0
        distance, _ = tree.query(healpixels.centres_of(one, pixels), distance_upper_bound=2.0)
        pixels = pixels[distance <= 2 * math.sin(min(radius + margin, math.pi) / 2) + 1e-12]
        if one < order:
            pixels = (4 * pixels[:, None] + np.arange(4)).ravel()
    return pixels


def _spread(
    sources: NDArray[np.int64], mass: NDArray[np.float64], targets: NDArray[np.int64], sigma: float, order: int
) -> NDArray[np.float64]:
    """Return the probability that comes to each target."""
    from scipy.spatial import cKDTree

    target_tree = cKDTree(healpixels.centres_of(order, targets))
    spread = np.zeros(len(targets))
    chord = 2 * math.sin(min(REACH * sigma, math.pi) / 2) + 1e-12
    for first in range(0, len(sources), 1000):  # so that the pairs fit the memory
        here = slice(first, first + 1000)
        pairs = cKDTree(healpixels.centres_of(order, sources[here])).sparse_distance_matrix(
            target_tree, chord, output_type="ndarray"
        )
        weights = np.exp(-0.5 * (2 * np.arcsin(np.minimum(pairs["v"] / 2, 1.0)) / sigma) ** 2)
        share = mass[here] / np.bincount(pairs["i"], weights=weights, minlength=len(sources[here]))
        spread += np.bincount(pairs["j"], weights=weights * share[pairs["i"]], minlength=len(targets))
    return spread


def _sorted(index: NDArray[np.int64], llh: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the pixels by rising index."""
    sequence = np.argsort(index)
    return index[sequence], llh[sequence]

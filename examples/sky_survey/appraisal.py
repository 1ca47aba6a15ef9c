"""Compares a catalogue with the truth: how many stars were found, and how well they were measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from detections import Table, TileSources
from merging import RADIUS, chord, unit_vectors
from scipy.spatial import cKDTree

BIN = 0.5
"""Magnitudes in which completeness is told."""
WELL_SEEN = 0.1
"""Largest error, in magnitudes, of the stars that tell how good the photometry is: they are seen at ten times the noise."""
SIGMA = 1.4826
"""Standard deviations in one median absolute deviation of a Gaussian."""


def read_truth(path: str) -> Table:
    """Rows with at least `ra`, `dec` and `mag` of a CSV file; `ValueError` if it is not one."""
    with open(path, encoding="utf-8") as stream:
        names = stream.readline().strip().split(",")
        absent = {"ra", "dec", "mag"} - set(names)
        if absent:
            raise ValueError(f"truth {path} has no column {sorted(absent)[0]!r}; its first line must name ra, dec and mag")
        return np.loadtxt(stream, np.dtype([(name, "f8") for name in names]), delimiter=",", ndmin=1)


def appraise(entries: Table, truth: Table, tiles: Iterable[TileSources]) -> dict[str, Any]:
    """What is told of the stars inside the tiles that were measured: `completeness` and so on; see README."""
    truth = truth[_inside(truth, [tile.corners for tile in tiles])]
    star, entry = _matches(truth, entries)
    error = entries["mag"][entry] - truth["mag"][star]
    well = entries["mag_error"][entry] < WELL_SEEN
    apart = np.linalg.norm(unit_vectors(truth[star]) - unit_vectors(entries[entry]), axis=1)
    completeness = _completeness(truth["mag"], np.isin(np.arange(len(truth)), star))
    return {
        "stars": len(truth),
        "found": len(star),
        "false": len(entries) - len(entry),
        "purity": _rounded(len(entry) / max(len(entries), 1)),
        "completeness": completeness,
        "magnitude_limit_90": _limit(completeness, 0.9),
        "magnitude_bias": _rounded(_median(error[well])),
        "magnitude_scatter": _rounded(spread(error[well])),
        "magnitude_pull": _rounded(spread(error[well] / entries["mag_error"][entry[well]])),
        "position_error_arcsec": _rounded(np.degrees(_median(apart[well])) * 3600),
    }


def _matches(truth: Table, entries: Table) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows of stars and of entries that are each other's nearest: so a blend of two stars finds one of them."""
    if not len(truth) or not len(entries):
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    stars, places = unit_vectors(truth), unit_vectors(entries)
    apart, star = cKDTree(stars).query(places)
    nearest = cKDTree(places).query(stars)[1]
    entry = np.flatnonzero((apart <= chord(RADIUS)) & (nearest[star] == np.arange(len(entries))))
    return star[entry], entry


def _inside(truth: Table, outlines: Sequence[Sequence[tuple[float, float]]]) -> npt.NDArray[np.bool_]:
    """Which stars are inside one of the outlines: on the same side of all the great circles through its corners."""
    inside = np.zeros(len(truth), np.bool_)
    stars = unit_vectors(truth)
    for outline in outlines:
        corners = unit_vectors(np.array(outline, [("ra", "f8"), ("dec", "f8")]))
        sides = stars @ np.cross(corners, np.roll(corners, -1, axis=0)).T
        near = stars @ corners.sum(axis=0) > 0
        inside |= near & ((sides > 0).all(axis=1) | (sides < 0).all(axis=1))
    return inside


def _completeness(magnitudes: npt.NDArray[np.float64], found: npt.NDArray[np.bool_]) -> dict[str, float]:
    """By the bright end of each bin, the part of its stars that were found; bins without stars are left out."""
    places = np.floor(magnitudes / BIN).astype(int)
    return {f"{place * BIN:.1f}": round(float(found[places == place].mean()), 4) for place in np.unique(places)}


def _limit(completeness: dict[str, float], part: float) -> float | None:
    """Faint end of the last bin before the first in which fewer than this part were found; None if there is none."""
    limit = None
    for start, found in completeness.items():
        if found < part:
            break
        limit = float(start) + BIN
    return limit


def spread(values: npt.NDArray[np.float64]) -> float:
    """Standard deviation of the bulk of the values, from their median absolute deviation; NaN of none."""
    return SIGMA * _median(np.abs(values - _median(values)))


def _median(values: npt.NDArray[np.float64]) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _rounded(value: float) -> float | None:
    """As the report has it: JSON knows no NaN."""
    return round(value, 4) if np.isfinite(value) else None

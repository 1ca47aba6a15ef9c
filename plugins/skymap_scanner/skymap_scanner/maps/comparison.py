"""Two scans side by side: pixel by pixel with the tolerances of icecube-skyreader, then as maps."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.maps.best import BestFit
from skymap_scanner.maps.skymap import SkyMap
from skymap_scanner.maps.sphere import separation, vectors_of
from skymap_scanner.result import ScanResult

RELATIVE = {"llh": 1e-4, "E_in": 1e-2, "E_tot": 1e-2, "X": 1e-3, "Y": 1e-3, "Z": 1e-3, "T": 1e-3}
"""Tolerances relative to the second scan, by column."""

ABSOLUTE = 1e-8
"""Added to them."""

ENERGIES = ("E_in", "E_tot")
"""Columns where zero means that the reconstruction found none, and is close to anything."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class LevelComparison:
    """One nside that both scans have."""

    pixels: int
    """Pixels in both."""
    only_first: int
    """Pixels in the first only."""
    only_second: int
    """Pixels in the second only."""
    different: dict[str, int]
    """Number of pixels beyond tolerance, by column that both have; empty where all are close."""

    @property
    def is_close(self) -> bool:
        """Whether there is no difference beyond tolerance."""
        return not (self.only_first or self.only_second or self.different)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Two scans side by side."""

    levels: dict[int, LevelComparison]
    """By nside, of those that both have."""
    only_first: tuple[int, ...]
    """Nsides in the first only."""
    only_second: tuple[int, ...]
    """Nsides in the second only."""
    separation: float | None
    """Radians between the best fits, None where one has none."""
    area_ratios: dict[str, float]
    """Area of the second over that of the first, by Wilks contour that both have."""

    @property
    def is_close(self) -> bool:
        """Whether both have the same levels and pixels, and all values are within tolerance."""
        return not (self.only_first or self.only_second) and all(level.is_close for level in self.levels.values())


def compare(first: ScanResult, second: ScanResult) -> Comparison:
    """Compare two scans, of different versions too: columns that one does not have do not count."""
    common = sorted(first.levels.keys() & second.levels.keys())
    maps = SkyMap(first), SkyMap(second)
    return Comparison(
        levels={nside: _compare_level(first.levels[nside], second.levels[nside]) for nside in common},
        only_first=tuple(sorted(first.levels.keys() - second.levels.keys())),
        only_second=tuple(sorted(second.levels.keys() - first.levels.keys())),
        separation=_separation(maps[0].best, maps[1].best),
        area_ratios=_area_ratios(*maps),
    )


def _compare_level(first: NDArray[np.void], second: NDArray[np.void]) -> LevelComparison:
    indices, in_first, in_second = np.intersect1d(first["index"], second["index"], assume_unique=True, return_indices=True)
    different = {}
    for name, relative in RELATIVE.items():
        a, b = first[name][in_first], second[name][in_second]
        close = np.isclose(a, b, rtol=relative, atol=ABSOLUTE, equal_nan=True)
        if name in ENERGIES:
            close |= (a == 0) | (b == 0)
        # Version 0 has no vertices: read back, they are all NaN.
        has_column = name == "llh" or (np.isfinite(a).any() and np.isfinite(b).any())
        if has_column and not close.all():
            different[name] = int((~close).sum())
    return LevelComparison(
        pixels=len(indices),
        only_first=len(first) - len(indices),
        only_second=len(second) - len(indices),
        different=different,
    )


def _separation(first: BestFit | None, second: BestFit | None) -> float | None:
    if first is None or second is None:
        return None
    return float(separation(vectors_of(first.ra, first.dec), vectors_of(second.ra, second.dec)))


def _area_ratios(first: SkyMap, second: SkyMap) -> dict[str, float]:
    if first.best is None or second.best is None:
        return {}
    areas = {level.key: (first.contour(level).area, second.contour(level).area) for level in first.schemes[0].levels}
    return {key: b / a for key, (a, b) in areas.items() if a > 0}

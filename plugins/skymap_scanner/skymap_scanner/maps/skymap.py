"""A map in one piece: cells, best fit, contours and probability, each made once, when it is first asked for."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.maps.best import BestFit, best_fit
from skymap_scanner.maps.cells import Cells, cells_of
from skymap_scanner.maps.confidence import MILLIPEDE, WILKS, Level, Scheme, calibrated_for
from skymap_scanner.maps.contour import Contour, contour_of
from skymap_scanner.maps.errors import ErrorBox, error_box
from skymap_scanner.maps.mesh import Mesh, mesh_of
from skymap_scanner.maps.probability import probability_of
from skymap_scanner.maps.smoothing import smoothed
from skymap_scanner.result import ScanResult


@dataclasses.dataclass(frozen=True, eq=False)
class SkyMap:
    """What a scan, complete or not, says about the sky."""

    result: ScanResult
    """The scan."""
    schemes: tuple[Scheme, ...] = (WILKS, MILLIPEDE)
    """Sets of contour levels; the first gives the errors."""
    floor: float = 0.0
    """Sigma in radians of the Gaussian that the map is smoothed with: a floor on the angular error."""
    is_shower: bool = False
    """Whether the event was classified as a shower, of which no reconstruction here tells the direction."""

    @classmethod
    def of(cls, result: ScanResult, classification: object = None) -> SkyMap:
        """Return the map of a scan, with calibrated levels where there are some for its reconstruction.

        Parameters
        ----------
        result
            The scan.
        classification
            Of the event, with `kind` either `track` or `cascade`; None where it is not known.
        """
        calibration = calibrated_for(result.reco)
        schemes = (WILKS, MILLIPEDE) if calibration is None else (WILKS, calibration, MILLIPEDE)
        return cls(result, schemes=schemes, is_shower=getattr(classification, "kind", None) == "cascade")

    @property
    def why_no_direction(self) -> str | None:
        """Why there is no best direction, or None where there is one."""
        if self.is_shower:
            return "shower-like event: the map tells nothing about its direction"
        if not self.result.gives_direction:
            return f"the reconstruction `{self.result.reco}` does not tell directions"
        if not self.cells.known.any():
            return "no pixel has a likelihood yet"
        return None

    @property
    def drawn(self) -> tuple[Scheme, ...]:
        """The schemes that mean something for this reconstruction: Millipede's levels bound nothing in maps of others."""
        return tuple(
            scheme for scheme in self.schemes if scheme is not MILLIPEDE or self.result.reco.startswith("millipede")
        )

    @functools.cached_property
    def cells(self) -> Cells:
        """The pixels as a cover of the sky."""
        cells = cells_of(self.result.levels)
        return smoothed(cells, self.floor) if self.floor else cells

    @functools.cached_property
    def best(self) -> BestFit | None:
        """The best pixel; None while there is none, and where a direction would be a false one."""
        return None if self.why_no_direction else best_fit(self.result.levels)

    @functools.cached_property
    def probability(self) -> NDArray[np.float64]:
        """(n,) of every cell."""
        return probability_of(self.cells)

    @functools.cached_property
    def _mesh(self) -> Mesh:
        return mesh_of(self.cells)

    @functools.cached_property
    def _contours(self) -> dict[float, Contour]:
        return {}

    def contour(self, level: Level) -> Contour:
        """Return the contour at a level."""
        if level.two_delta not in self._contours:
            self._contours[level.two_delta] = contour_of(self._mesh, level.two_delta)
        return self._contours[level.two_delta]

    def error(self, best: BestFit, level: Level) -> ErrorBox:
        """Return how far the region inside a level reaches from the best fit."""
        return error_box(best, self.cells, self.contour(level), level.two_delta)

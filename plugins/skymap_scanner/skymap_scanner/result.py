"""What a scan found: the likelihood of every pixel that was looked at."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.event import EventHeader, PublishedFit

ROW = np.dtype(
    [
        ("index", "i8"),  # RING index of the pixel
        ("llh", "f8"),  # negative logarithm of the likelihood; NaN where there is none
        ("E_in", "f8"),  # GeV inside the detector; NaN where the reconstruction has no energy
        ("E_tot", "f8"),  # GeV
        ("X", "f8"),  # m
        ("Y", "f8"),  # m
        ("Z", "f8"),  # m
        ("T", "f8"),  # ns
    ]
)
"""One pixel, as icecube-skyreader has it."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ScanResult:
    """A map in levels, perhaps not yet complete."""

    header: EventHeader
    """Which event."""
    reco: str
    """Name of the reconstruction."""
    levels: Mapping[int, NDArray[np.void]]
    """Rows of dtype `ROW`, sorted by index, of every nside that was scanned, coarsest first."""
    complete: bool
    """False while the scan is running."""
    fits: tuple[PublishedFit, ...] = ()
    """Reconstructions that came with the event, to be drawn beside ours."""
    gives_direction: bool = True
    """False where the reconstruction tells nothing about the sky, as for showers."""

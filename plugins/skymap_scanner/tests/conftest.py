"""Scans of a known truth, for tests of maps and files, and how hard Hypothesis looks."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import healpix  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from numpy.typing import NDArray

from skymap_scanner.event import EventHeader
from skymap_scanner.result import ROW, ScanResult

HEADER = EventHeader(run_id=138632, event_id=31747601, mjd=60051.25, event_type="gold")

# No deadlines: the machine may be busy with the tests of others.
settings.register_profile("scanner", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("scanner-ci", settings.get_profile("scanner"), derandomize=True)
settings.register_profile("scanner-soak", settings.get_profile("scanner"), max_examples=2000)
_KIND = os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "")
settings.load_profile(f"scanner-{_KIND}" if _KIND in {"ci", "soak"} else "scanner")


@pytest.fixture(scope="session")
def make_scan() -> Callable[..., ScanResult]:
    """The scan of a bowl on the sky: -log of a Gaussian with an elliptic profile in angles from its centre."""
    return scan_of_bowl


def scan_of_bowl(
    ra: float,
    dec: float,
    major: float = 0.3,
    minor: float = 0.2,
    angle: float = 20.0,
    nsides: Sequence[tuple[int, int]] = ((8, 0), (64, 12), (512, 24)),
    header: EventHeader = HEADER,
) -> ScanResult:
    """All angles in degrees; `nsides` as (nside, coarser pixels round the minimum to refine)."""
    centre = _vectors(np.radians(ra), np.radians(dec))
    levels: dict[int, NDArray[np.void]] = {}
    coarse, best = 0, centre
    for nside, count in nsides:
        index = np.arange(12 * nside**2) if count == 0 else _children(coarse, _nearest(coarse, best, count), nside)
        vectors = np.stack(healpix.pix2vec(nside, index), axis=-1)
        rows = np.array([(0, *[np.nan] * 7)] * len(index), dtype=ROW)
        rows["index"] = index
        rows["llh"] = 1000 + _bowl(vectors, centre, np.radians([major, minor, angle])) / 2
        levels[nside], coarse, best = rows, nside, vectors[rows["llh"].argmin()]
    return ScanResult(header=header, reco="mpe", levels=levels, complete=True)


def _bowl(vectors: NDArray[np.float64], centre: NDArray[np.float64], shape: NDArray[np.float64]) -> NDArray[np.float64]:
    major, minor, angle = shape
    east = np.cross([0.0, 0.0, 1.0], centre)
    east /= np.linalg.norm(east)
    distance = 2 * np.arcsin(np.minimum(np.linalg.norm(vectors - centre, axis=1) / 2, 1.0))
    bearing = np.arctan2(vectors @ np.cross(centre, east), vectors @ east) - angle
    return np.asarray((distance * np.cos(bearing) / major) ** 2 + (distance * np.sin(bearing) / minor) ** 2)


def _vectors(ra: float, dec: float) -> NDArray[np.float64]:
    return np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def _nearest(nside: int, vector: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    cosines = np.stack(healpix.pix2vec(nside, np.arange(12 * nside**2)), axis=-1) @ vector
    return np.argsort(-cosines)[:count]


def _children(coarse: int, ring: NDArray[np.int64], nside: int) -> NDArray[np.int64]:
    inside = (nside // coarse) ** 2
    nested = healpix.ring2nest(coarse, ring)[:, None] * inside + np.arange(inside)
    return np.sort(healpix.nest2ring(nside, nested.ravel()))

"""Where the reconstruction of a pixel starts: at what the nearest coarser pixel found, and at variations of that."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Callable, Iterator
from typing import Protocol

import healpix  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from skymap_scanner.hits import Hits
from skymap_scanner.physics.photons import DELAY_PER_METRE, SPEED_OF_LIGHT
from skymap_scanner.recos.base import Pixel, Reco, Vertex
from skymap_scanner.scanning.disc import Pixels, parents
from skymap_scanner.scanning.sky import Sky

_DIGITS = 12


class Directions(Protocol):
    """Turns the sky into the detector's coordinates."""

    def __call__(self, ra: NDArray[np.float64], dec: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Zenith and azimuth (n,) of directions (n,); all radians."""


class Seeding:
    """Makes pixels ready to be sent.

    Parameters
    ----------
    reco
        Tells the vertex variations and the event's own vertex.
    hits
        Of the event, for reconstructions that want seeds at the time of direct light.
    to_local
        From right ascension and declination to zenith and azimuth.
    """

    def __init__(self, reco: Reco, hits: Callable[[], Hits], to_local: Directions) -> None:
        self._reco = reco
        self._hits = hits() if reco.refines_time else None
        self._to_local = to_local
        self._fallback = reco.fallback()

    def pixels(self, nside: int, indices: Pixels, sky: Sky) -> Iterator[list[Pixel]]:
        """For each index all variations of the pixel, with seeds from what the sky knows of coarser levels."""
        theta, phi = healpix.pix2ang(nside, indices)
        zenith, azimuth = self._to_local(phi, np.pi / 2 - theta)
        seeds = self._seeds(nside, indices, sky)
        for index, zen, azi, seed in zip(indices.tolist(), zenith.tolist(), azimuth.tolist(), seeds, strict=True):
            yield [
                Pixel(nside=nside, index=index, variation=number, zenith=zen, azimuth=azi, seeds=vertices)
                for number, vertices in enumerate(self._variations(seed, zen, azi))
            ]

    def _seeds(self, nside: int, indices: Pixels, sky: Sky) -> list[Vertex]:
        """The vertex of the nearest coarser pixel that was looked at; the event's own where that has no value."""
        seeds: list[Vertex | None] = [None] * len(indices)
        for coarser in sorted((level for level in sky.levels if level < nside), reverse=True):
            known = sky.levels[coarser]
            for position, parent in enumerate(parents(nside, indices, coarser).tolist()):
                if seeds[position] is None and parent in known:
                    answer = known[parent]
                    seeds[position] = answer.vertex if math.isfinite(answer.llh) else self._fallback
        return [seed or self._fallback for seed in seeds]

    def _variations(self, seed: Vertex, zenith: float, azimuth: float) -> Iterator[tuple[Vertex, ...]]:
        """One set of starts per vertex variation of the reconstruction, each made from the seed itself."""
        axes = track_axes(zenith, azimuth) if self._reco.rotates_offsets else np.eye(3)
        for offset in self._reco.offsets:
            vertex = moved(seed, np.array(offset) @ axes) if any(offset) else seed
            if self._hits is not None:
                vertex = at_direct_light(vertex, track_axes(zenith, azimuth)[2], self._hits)
            yield (vertex, self._fallback) if self._reco.adds_fallback_seed and vertex != self._fallback else (vertex,)


def moved(vertex: Vertex, by: NDArray[np.float64]) -> Vertex:
    """Return a vertex somewhere else at the same time; `by` (3,) in metres."""
    x, y, z = by.tolist()
    return Vertex(x=vertex.x + x, y=vertex.y + y, z=vertex.z + z, time=vertex.time)


def at_direct_light(vertex: Vertex, flight: NDArray[np.float64], hits: Hits) -> Vertex:
    """Return a vertex at such a time that unscattered Cherenkov light explains the hit that is nearest to the track."""
    ahead = hits.position - np.array([vertex.x, vertex.y, vertex.z])
    along = ahead @ flight
    distance = np.sqrt(np.maximum((ahead**2).sum(axis=1) - along**2, 0.0))
    nearest = int(np.argmin(distance))
    travel = along[nearest] / SPEED_OF_LIGHT + DELAY_PER_METRE * distance[nearest]
    return Vertex(x=vertex.x, y=vertex.y, z=vertex.z, time=float(hits.time[nearest] - travel))


def track_axes(zenith: float, azimuth: float) -> NDArray[np.float64]:
    """Return the frame (3, 3) of a track: two rows across it, of which the second is horizontal, and its flight."""
    sz, cz, sa, ca = math.sin(zenith), math.cos(zenith), math.sin(azimuth), math.cos(azimuth)
    return np.array([[cz * ca, cz * sa, -sz], [sa, -ca, 0.0], [-sz * ca, -sz * sa, -cz]])


def pixel_id(pixel: Pixel) -> str:
    """Return the event id `nside:index:variation:digest`; the digest is of the seeds, on which the answer depends."""
    numbers = [number for seed in pixel.seeds for number in (seed.x, seed.y, seed.z, seed.time)]
    digest = hashlib.sha256(struct.pack(f"<{len(numbers)}d", *numbers)).hexdigest()[:_DIGITS]
    return f"{pixel.nside}:{pixel.index}:{pixel.variation}:{digest}"

"""The contract of a reconstruction: one class per method, found by the entry points `skymap_scanner.recos`."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import ClassVar

import msgspec

from skymap_scanner.event import Alert


class Vertex(msgspec.Struct, frozen=True):
    """A point on the track, or of the shower, and when."""

    x: float
    """Metres."""
    y: float
    """Metres."""
    z: float
    """Metres."""
    time: float
    """ns."""


class Pixel(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to reconstruct: a fixed direction, and from where to start."""

    nside: int
    """Resolution of the map it belongs to."""
    index: int
    """RING index."""
    variation: int = 0
    """Which of the reconstruction's vertex variations."""
    zenith: float
    """Radians, of the pixel's centre: where the particle came from."""
    azimuth: float
    """Radians."""
    seeds: tuple[Vertex, ...]
    """Where to start; the best end wins."""
    attempt: int = 1
    """Which attempt this is; the answer must not depend on it."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the reconstruction found for one pixel."""

    llh: float
    """Negative logarithm of the likelihood; NaN if there is none."""
    vertex: Vertex
    """Where it is best."""
    e_in: float = float("nan")
    """GeV inside the detector."""
    e_tot: float = float("nan")
    """GeV."""


class Reco(abc.ABC):
    """One method, ready for one event; built once per process."""

    name: ClassVar[str]
    """What users call it."""
    offsets: ClassVar[tuple[tuple[float, float, float], ...]] = ((0.0, 0.0, 0.0),)
    """Vertex variations in metres; the first is the seed itself."""
    rotates_offsets: ClassVar[bool] = False
    """Whether offsets are in the frame of the track (its third axis) instead of the detector's."""
    refines_time: ClassVar[bool] = False
    """Whether a seed's time is moved to that of direct light at the closest hit module."""
    adds_fallback_seed: ClassVar[bool] = False
    """Whether the event's own vertex is tried beside the seed of the coarser map."""
    gives_direction: ClassVar[bool] = True
    """False where the map tells nothing about the sky, as for showers."""

    @abc.abstractmethod
    def __init__(self, alert: Alert) -> None:
        """`NoSignal` if there is nothing to reconstruct."""

    @abc.abstractmethod
    def fallback(self) -> Vertex:
        """The event's own vertex: the seed where no coarser map has one."""

    @abc.abstractmethod
    def reconstruct(self, pixels: Sequence[Pixel]) -> list[Answer]:
        """One answer per pixel, the same bit for bit however pixels are put together."""

"""An event of the detector as every part of the scanner sees it, however it was stored."""

from __future__ import annotations

import dataclasses

from skymap_scanner.pulses import Pulses


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class EventHeader:
    """Which event it is."""

    run_id: int
    """Number of the run."""
    event_id: int
    """Number of the event in its run."""
    mjd: float
    """Start of the read-out, modified Julian date (UTC)."""
    event_type: str = ""
    """Stream or alert kind, for example `gold`, `bronze` or `HESE`; empty if it is not known."""
    is_real: bool = True
    """False for simulated events."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class PublishedFit:
    """A reconstruction that came with the event."""

    name: str
    """As the event calls it, for example `OnlineL2_SplineMPE`."""
    zenith: float
    """Radians, where the particle came from."""
    azimuth: float
    """Radians, where the particle came from."""
    x: float = float("nan")
    """Metres, a point on the track or the vertex."""
    y: float = float("nan")
    """Metres."""
    z: float = float("nan")
    """Metres."""
    time: float = float("nan")
    """When it was at the point, ns."""
    energy: float = float("nan")
    """GeV."""
    llh: float = float("nan")
    """Negative logarithm of the likelihood."""
    ndof: int | None = None
    """Degrees of freedom of the likelihood."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Truth:
    """What was simulated."""

    kind: str
    """`track` or `cascade`."""
    zenith: float
    """Radians, where the particle came from."""
    azimuth: float
    """Radians."""
    x: float
    """Metres, a point on the track or the vertex."""
    y: float
    """Metres."""
    z: float
    """Metres."""
    time: float
    """ns."""
    energy: float
    """GeV."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Alert:
    """One event: header, pulses, and what others found."""

    header: EventHeader
    """Which event."""
    pulses: Pulses
    """All pulses in the ice, sorted by string, om and time."""
    fits: tuple[PublishedFit, ...] = ()
    """Reconstructions that came with it."""
    truth: Truth | None = None
    """Of a simulated event."""

"""Masks: which pulses of another series belong to this one (`I3MapOMKeyMask.cxx` of icecube/icetray-public)."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.errors import EventError
from skymap_scanner.pulses import PULSE
from skymap_scanner.reading.archive import Archive
from skymap_scanner.reading.limits import MAX_MODULES, MAX_PULSES, MAX_SOURCES
from skymap_scanner.reading.pulsemap import PulseMap, counts_of

NEWEST = 2
"""Version of the class that is known."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Mask:
    """A choice among the pulses of a series."""

    source: str
    """Name of the series."""
    modules: NDArray[np.bool_]
    """(modules of the source,) which of them have chosen pulses."""
    counts: NDArray[np.int64]
    """(chosen modules,) how many pulses each has in the source."""
    chosen: NDArray[np.bool_]
    """(sum of counts,) which of them are chosen."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Union:
    """All pulses of several series."""

    sources: tuple[str, ...]
    """Their names."""


def read(archive: Archive, version: int) -> Mask:
    """Read an `I3RecoPulseSeriesMapMask`."""
    archive.base()
    source = archive.string()
    if version == 1:
        archive.take(4)  # a reference time that was never used
    modules, _ = _read_bits(archive, 1)
    archive.begin("vector<bitmask>")
    chosen, counts = _read_bits(archive, archive.count("modules", MAX_MODULES))
    if version == 0 and not len(counts) and len(modules) == 64 and modules.all():
        modules = modules[:0]  # empty masks were written so by mistake
    return Mask(source=source, modules=modules, counts=counts, chosen=chosen)


def read_union(archive: Archive, version: int) -> Union:
    """Read an `I3RecoPulseSeriesMapUnion`."""
    del version
    archive.base()
    archive.begin("vector<string>")
    return Union(sources=tuple(archive.string() for _ in range(archive.count("series", MAX_SOURCES))))


def apply(mask: Mask, source: PulseMap) -> PulseMap:
    """Choose from the source; modules that are left with no pulse leave the map.

    Raises
    ------
    EventError
        If the mask was made for another source.
    """
    if len(mask.modules) != len(source.counts):
        message = f"a mask over {len(mask.modules)} modules is applied to {mask.source}, which has {len(source.counts)}"
        raise EventError(message)
    if not np.array_equal(source.counts[mask.modules], mask.counts):
        message = f"a mask does not fit the pulses of {mask.source}"
        raise EventError(message)
    keep = np.repeat(mask.modules, source.counts)
    keep[keep] = mask.chosen
    module = np.repeat(np.arange(len(source.counts)), source.counts)
    counts = np.bincount(module[keep], minlength=0)
    return PulseMap(pulses=source.pulses[keep], counts=counts[counts > 0])


def unite(parts: list[PulseMap]) -> PulseMap:
    """All pulses of several maps, each once, by module and time.

    Raises
    ------
    EventError
        If they are too many.
    """
    total = sum(len(part.pulses) for part in parts)
    if total > MAX_PULSES:
        message = f"a union has {total} pulses; at most {MAX_PULSES} are read"
        raise EventError(message)
    pulses = np.unique(np.concatenate([part.pulses for part in parts])) if parts else np.zeros(0, PULSE)
    return PulseMap(pulses=pulses, counts=counts_of(pulses))


def _read_bits(archive: Archive, count: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Read bit fields, each behind its size: all bits one after the other, and how many each field has."""
    parts, sizes, paddings = [], [], []
    for _ in range(count):
        archive.begin("bitmask")
        size, padding = archive.u16(), archive.u8()
        if padding > 8 * size:
            message = f"a bit mask of {size} bytes has {padding} bits of padding"
            raise EventError(message)
        sizes.append(size)
        paddings.append(padding)
        parts.append(archive.take(size))
    bits = np.unpackbits(np.frombuffer(b"".join(parts), np.uint8), bitorder="little").astype(np.bool_)
    whole = 8 * np.array(sizes, np.int64)
    used = whole - np.array(paddings, np.int64)
    place = np.arange(len(bits)) - np.repeat(np.cumsum(whole) - whole, whole)
    return bits[place < np.repeat(used, whole)], used

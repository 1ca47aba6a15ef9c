"""Pulses by module: IceTray's `I3RecoPulseSeriesMap`, also what masks choose from."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from skymap_scanner.errors import EventError
from skymap_scanner.pulses import PULSE, Pulses, module_keys
from skymap_scanner.reading.archive import Archive
from skymap_scanner.reading.limits import MAX_MODULES

NEWEST = 0
"""Version of the class that is known."""

_RECO_PULSE = np.dtype([("time", "<f8"), ("charge", "<f4"), ("width", "<f4"), ("flags", "u1")])
"""Version 3 of I3RecoPulse, without padding."""
_RECO_PULSE_VERSION = 3
_TRACKED_PULSE = np.dtype([("id", "<u4"), *_RECO_PULSE.descr])
"""The same behind an object id."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PulseMap:
    """Pulses of all modules, one module after the other."""

    pulses: Pulses
    """(n,)"""
    counts: NDArray[np.int64]
    """(modules,) how many of them each module has, in the order of the map; may be 0."""


def counts_of(pulses: Pulses) -> NDArray[np.int64]:
    """How many pulses each module has, of pulses that are sorted by module."""
    starts = np.flatnonzero(np.diff(module_keys(pulses), prepend=-1))
    return np.diff(starts, append=len(pulses))


def read(archive: Archive, version: int) -> PulseMap:
    """Read an `I3RecoPulseSeriesMap`."""
    del version
    archive.base()
    archive.begin("map")
    parts: list[NDArray[np.void]] = []
    keys: list[tuple[int, int]] = []
    for _ in range(archive.count("modules", MAX_MODULES)):
        archive.begin("pair")
        keys.append(_read_omkey(archive))
        archive.begin("vector<I3RecoPulse>")
        parts.append(_read_series(archive, archive.u32()))
    counts = np.array([len(part) for part in parts], np.int64)
    pulses = np.zeros(int(counts.sum()), PULSE)
    if parts:
        found = np.concatenate(parts)
        for field in _RECO_PULSE.names or ():
            pulses[field] = found[field]
        pulses["string"], pulses["om"] = np.repeat(np.array(keys, np.int16).T, counts, axis=1)
    return PulseMap(pulses=pulses, counts=counts)


def _read_omkey(archive: Archive) -> tuple[int, int]:
    version = archive.begin("OMKey")
    if version <= 1:
        archive.base()
    string, om = archive.i32(), archive.u32()
    if version >= 1:
        archive.u8()  # which photomultiplier of the module
    if not (0 <= string <= 0x7FFF and om <= 0x7FFF):
        message = f"string {string}, module {om} is no module"
        raise EventError(message)
    return string, om


def _read_series(archive: Archive, count: int) -> NDArray[np.void]:
    """Pulses of one module, each behind its object id."""
    if not count:
        return np.zeros(0, _RECO_PULSE)
    tracked, version = archive.header("I3RecoPulse")
    if version != _RECO_PULSE_VERSION:
        message = f"I3RecoPulse version {version} is not supported ({_RECO_PULSE_VERSION} is)"
        raise EventError(message)
    return archive.array(_TRACKED_PULSE if tracked else _RECO_PULSE, count)[list(_RECO_PULSE.names or ())]

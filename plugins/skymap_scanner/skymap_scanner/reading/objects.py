"""Frame objects: a class name, then what that class writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from skymap_scanner.errors import EventError
from skymap_scanner.reading import header, mask, particle, pulsemap, superdst
from skymap_scanner.reading.archive import Archive


def _read_string(archive: Archive, version: int) -> str:
    del version
    archive.base()
    return archive.string()


_READERS: Final[dict[str, tuple[Callable[[Archive, int], object], int]]] = {
    "I3EventHeader": (header.read, header.NEWEST),
    "I3LogLikelihoodFitParams": (particle.read_fit_params, particle.NEWEST_FIT_PARAMS),
    "I3Particle": (particle.read, particle.NEWEST),
    "I3RecoPulseSeriesMap": (pulsemap.read, pulsemap.NEWEST),
    "I3RecoPulseSeriesMapMask": (mask.read, mask.NEWEST),
    "I3RecoPulseSeriesMapUnion": (mask.read_union, 0),
    "I3String": (_read_string, 0),
    "I3SuperDST": (superdst.read, superdst.NEWEST),
}
"""Reader and newest known version of each class."""


def decode(body: bytes) -> object | None:
    """Read one object of a frame.

    Returns
    -------
    What its reader makes of it, or None for an empty pointer and for classes that the scanner has no use for.

    Raises
    ------
    EventError
        If the bytes are not what the class writes, or its version is unknown.
    """
    archive = Archive(body)
    name = _class_name(archive)
    if name not in _READERS:
        return None
    reader, newest = _READERS[name]
    version = archive.begin(name)
    if version > newest:
        message = f"{name} version {version} is not supported ({newest} is); write the event again with another IceTray"
        raise EventError(message)
    value = reader(archive, version)
    archive.finish()
    return value


def class_name(body: bytes) -> str:
    """Name of an object's class; empty for an empty pointer."""
    return _class_name(Archive(body))


def _class_name(archive: Archive) -> str:
    archive.begin("shared_ptr")
    return "" if archive.i16() == -1 else archive.string()

"""Reconstructions by name: entry points, so that any package may add one, and whether it is Python or a program."""

from __future__ import annotations

import difflib
import importlib.metadata

from skymap_scanner.errors import ScanError
from skymap_scanner.recos.base import Reco

_GROUP = "skymap_scanner.recos"
_PROGRAMS = "skymap_scanner.programs"


def reco_names() -> list[str]:
    """Return the names of all that are installed."""
    return sorted(_entries().names)


def check_reco(name: str) -> str:
    """Return the name itself; `ScanError` with the nearest one if nothing of that name is installed."""
    names = reco_names()
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"installed are {', '.join(names)}"
    raise ScanError(f"reconstruction '{name}' is unknown; {hint}")


def is_program(name: str) -> bool:
    """Whether a reconstruction is a program; told by its entry point, as importing one may take long."""
    return name in importlib.metadata.entry_points(group=_PROGRAMS).names


def reco_class(name: str) -> type[Reco]:
    """Return a reconstruction's class; `ScanError` if it is unknown, cannot be imported or is none."""
    entry = _entries()[check_reco(name)]
    try:
        found = entry.load()
    except (ImportError, AttributeError) as error:
        raise ScanError(f"reconstruction '{name}' cannot be imported from {entry.value}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Reco)):
        raise ScanError(f"reconstruction '{name}', {entry.value}, is no subclass of skymap_scanner.recos.base.Reco")
    return found


def _entries() -> importlib.metadata.EntryPoints:
    found = importlib.metadata.entry_points()
    return importlib.metadata.EntryPoints([*found.select(group=_GROUP), *found.select(group=_PROGRAMS)])

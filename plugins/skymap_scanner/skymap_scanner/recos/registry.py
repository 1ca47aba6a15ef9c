"""Reconstructions by name: entry points of the group `skymap_scanner.recos`, so that any package may add one."""

from __future__ import annotations

import difflib
import importlib.metadata

from skymap_scanner.errors import ScanError
from skymap_scanner.recos.base import Reco

_GROUP = "skymap_scanner.recos"


def reco_names() -> list[str]:
    """Return the names of all that are installed."""
    return sorted(importlib.metadata.entry_points(group=_GROUP).names)


def check_reco(name: str) -> str:
    """Return the name itself; `ScanError` with the nearest one if nothing of that name is installed."""
    names = reco_names()
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"installed are {', '.join(names)}"
    raise ScanError(f"reconstruction '{name}' is unknown; {hint}")


def reco_class(name: str) -> type[Reco]:
    """Return a reconstruction's class; `ScanError` if it is unknown, cannot be imported or is none."""
    (entry,) = importlib.metadata.entry_points(group=_GROUP, name=check_reco(name))
    try:
        found = entry.load()
    except (ImportError, AttributeError) as error:
        raise ScanError(f"reconstruction '{name}' cannot be imported from {entry.value}: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Reco)):
        raise ScanError(f"reconstruction '{name}', {entry.value}, is no subclass of skymap_scanner.recos.base.Reco")
    return found

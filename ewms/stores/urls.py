"""Store URLs: which store one means."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

from ewms.core.errors import UsageError
from ewms.stores.store import Store

_GROUP = "ewms.stores"
_EXTRAS = {"mongodb": "mongo", "mongodb+srv": "mongo"}
"""What to install for a scheme, where it is not called so itself."""


def store_for(url: str | Path) -> Store:
    """The store that a URL or path means, not yet open.

    Parameters
    ----------
    url
        A path, `sqlite:///absolute/path`, `mongodb://host/database`, `mongodb+srv://…`, or the scheme of another
        distribution's store (entry-point group `ewms.stores`).

    Raises
    ------
    UsageError
        No store has that scheme, its client library is not installed, or the URL is malformed.
    """
    scheme, separator, _ = str(url).partition("://")
    if not separator:
        scheme = "sqlite"
    kinds = {point.name: point for point in entry_points(group=_GROUP)}
    if scheme not in kinds:
        known = ", ".join(f"{name}://" for name in sorted(kinds))
        shown = f"has the scheme {scheme}://" if scheme.isalnum() else "is meant by this URL"  # it may hold a password
        raise UsageError(f"no store {shown}; use a path or one of {known}")
    try:
        kind = kinds[scheme].load()
    except ModuleNotFoundError as error:
        extra, library = _EXTRAS.get(scheme, scheme), (error.name or "").partition(".")[0]
        raise UsageError(
            f'a {scheme}:// store needs {library}, which is not installed; pip install "ewms[{extra}]"'
        ) from error
    store: Store = kind(str(url))
    return store

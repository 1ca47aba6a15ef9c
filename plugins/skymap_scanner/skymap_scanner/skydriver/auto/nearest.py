"""The right name for a wrong one. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], what: str = "known") -> str:
    """`did you mean 'charge'?`, or all names that there are where none is near.

    Parameters
    ----------
    what : the list of all names is called by it.
    """
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"did you mean '{near[0]}'?" if near else f"{what}: {', '.join(names) or 'none'}"

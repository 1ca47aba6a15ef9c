"""Names of files, as icecube-skyreader makes them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from skymap_scanner.event import EventHeader


def base_name(header: EventHeader, nsides: Iterable[int]) -> str:
    """Return for example `run00138632.evt000031747601.gold_8_64_512`; a type that is not known is `unknown`."""
    event_type = re.sub(r"[^A-Za-z0-9-]+", "-", header.event_type).strip("-") or "unknown"
    return "_".join([f"run{header.run_id:08d}.evt{header.event_id:012d}.{event_type}", *map(str, sorted(nsides))])

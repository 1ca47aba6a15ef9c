"""What an event is, in one number: the same however it was written, another where anything that a scan reads differs."""

from __future__ import annotations

import hashlib
import struct
from typing import Final

import numpy as np

from skymap_scanner.event import Alert
from skymap_scanner.pulses import PULSE, Pulses

_LABEL: Final = b"skymap-scanner event content 1\0"
"""Names the recipe, so that another one gives other digests."""
_LITTLE_ENDIAN: Final = np.dtype([(name, PULSE[name].newbyteorder("<")) for name in PULSE.names or ()])
_ALL_COLUMNS: Final = tuple(reversed(PULSE.names or ()))
"""To sort by all of them: pulses of one module and time have no order of their own."""


def content_digest(alert: Alert) -> str:
    """SHA-256 of an event's header and pulses, 64 hexadecimal digits.

    It does not depend on the file's format, its layout or the order of anything in it, nor on what others found: the same
    read-out with another published fit is the same event.
    """
    header = alert.header
    kind = header.event_type.encode()
    digest = hashlib.sha256(_LABEL)
    digest.update(f"{header.run_id} {header.event_id} {int(header.is_real)} {len(kind)} ".encode())
    digest.update(kind)
    digest.update(struct.pack("<d", header.mjd + 0.0))
    digest.update(_canonical(alert.pulses).tobytes())
    return digest.hexdigest()


def _canonical(pulses: Pulses) -> Pulses:
    """The pulses in one order and one layout, with one zero."""
    sorted_pulses = pulses[np.lexsort([pulses[name] for name in _ALL_COLUMNS])]
    canonical = np.empty(len(pulses), _LITTLE_ENDIAN)
    for name in PULSE.names or ():
        canonical[name] = sorted_pulses[name]
        if PULSE[name].kind == "f":
            canonical[name] += 0.0  # the negative zero becomes the positive one
    return canonical

"""Pulses: what the modules of the detector saw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PULSE = np.dtype(
    [
        ("string", "i2"),  # 1 to 86
        ("om", "i2"),  # 1 to 60 in the ice, 61 to 64 on the surface
        ("time", "f8"),  # ns since the start of the event's read-out
        ("charge", "f4"),  # photoelectrons
        ("width", "f4"),  # ns
        ("flags", "u1"),  # sum of HLC, ATWD and FADC
    ]
)
"""One pulse. Series of pulses are sorted by string, om and time."""

HLC, ATWD, FADC = 1, 2, 4
"""Flags: in hard local coincidence; seen by the fast digitiser; seen by the slow one."""

Pulses = NDArray[np.void]
"""An array (n,) of dtype `PULSE`."""

MODULES_PER_STRING = 60
"""In the ice; larger numbers are on the surface."""
STRINGS = 86
"""Of the detector as it was finished in 2010."""


def module_keys(pulses: Pulses) -> NDArray[np.int64]:
    """One number for each pulse's module, growing with string and om, (n,)."""
    keys: NDArray[np.int64] = pulses["string"].astype(np.int64) << 16 | pulses["om"]
    return keys


def in_ice(pulses: Pulses) -> NDArray[np.bool_]:
    """Which pulses are of modules on the detector's strings, (n,)."""
    on_string = (pulses["om"] >= 1) & (pulses["om"] <= MODULES_PER_STRING)
    return on_string & (pulses["string"] >= 1) & (pulses["string"] <= STRINGS)

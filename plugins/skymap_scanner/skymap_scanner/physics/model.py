"""What the likelihood of one event needs, as arrays a compiled function can read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Model(NamedTuple):
    """Hits and settings; positions are relative to `centre`, times to `middle`."""

    table: Array
    """Coefficients of the delay density, as `tables.load` returns them."""
    nodes: Array
    """The same as values, as `tables.nodes` returns them: for rough searches."""
    position: Array
    """(n, 3) m."""
    time: Array
    """(n,) ns, of the first pulse."""
    others: Array
    """(n,) photons that came after the first: n - 1 of the first-of-n density, 0 of the one-photon density."""
    level: Array
    """(n,) what is added to the tables' logarithm: log n and the log of the stretch."""
    stretch: Array
    """(n,) by which delays are multiplied, for absorption other than average."""
    per_xi: Array
    """(n,) xi per effective metre, for scattering other than average."""
    signal: float
    """Share of first pulses that the model explains."""
    noise: float
    """Density of the others, per ns."""
    centre: Array
    """(3,) m, of the charge."""
    middle: float
    """ns, the median of the times."""

"""What the likelihood of one event needs, as arrays a compiled function can read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


class Model(NamedTuple):
    """Hits and settings; positions are relative to `centre`, times to `middle`."""

    table: Array
    """Coefficients of the delay density, as `tables.load` returns them, flat."""
    nodes: Array
    """The same as values, as `tables.nodes` returns them, flat: for rough searches."""
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


class View(NamedTuple):
    """An event as a track in a given direction sees it: along axes e1, e2, p, where p is the direction of flight."""

    model: Model
    """The event."""
    x: Array
    """(n,) m along e1."""
    y: Array
    """(n,) m along e2, which is horizontal."""
    time: Array
    """(n,) ns, less the particle's travel to the hit's place along p."""
    tilt: float
    """What (x - a) / d adds to the upward component of light from the track, by how much e1 points up."""
    lift: float
    """The rest of that component, by how much p points up."""
    cell: Integers
    """(n,) scratch: where in the table the hits are."""
    room: Array
    """(ROOM, n) scratch."""


ROOM = 11
"""Rows of scratch: ten for the likelihood and its derivatives, one for times."""

"""The exponential function as arithmetic alone, so that loops over hits become vector instructions.

The C library's, called hit by hit, takes 4.6 ns instead of 1.3 and would keep the loop it stands in from being vectorised.
"""

from __future__ import annotations

import math

import numpy as np

from skymap_scanner.physics.compiled import part

_PER_LN2 = 1.0 / math.log(2.0)
_LN2_HIGH, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10  # their sum is ln 2; the first has trailing zero bits


@part
def exp(x: float) -> float:
    """e^x to two units in the last place for x < 700; below -700 as at -700. It is 2^k times a Taylor series of the rest."""
    x = max(x, -700.0)
    k = math.floor(x * _PER_LN2 + 0.5)
    r = x - k * _LN2_HIGH - k * _LN2_LOW
    series = 1.0 / 479001600.0
    series = series * r + 1.0 / 39916800.0
    series = series * r + 1.0 / 3628800.0
    series = series * r + 1.0 / 362880.0
    series = series * r + 1.0 / 40320.0
    series = series * r + 1.0 / 5040.0
    series = series * r + 1.0 / 720.0
    series = series * r + 1.0 / 120.0
    series = series * r + 1.0 / 24.0
    series = series * r + 1.0 / 6.0
    series = series * r + 0.5
    series = series * r + 1.0
    series = series * r + 1.0
    power: float = np.int64((np.int64(k) + 1023) << 52).view(np.float64)
    return series * power

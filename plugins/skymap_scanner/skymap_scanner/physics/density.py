"""The delay density and its integral, exactly: slow, for making tables and for tests; needs scipy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

_NODES = np.linspace(-6.0, 6.0, 241)  # standard deviations over which smooth functions are blurred
_WEIGHTS = np.exp(-0.5 * _NODES**2) / np.exp(-0.5 * _NODES**2).sum()
_FAR = -30.0  # argument of the parabolic cylinder function below which it overflows


def log_density(delay: Array, shape: Array, rate: float, blur: float) -> Array:
    """Logarithm of the gamma density, blurred with a Gaussian.

    Van Eijndhoven, Fadiran & Japaridze, Astropart. Phys. 28 (2007) 456: a parabolic cylinder function of
    z = rate blur - delay / blur. Long after the blur (z < -30) the density is smooth enough for quadrature.

    Parameters
    ----------
    delay : (n,) ns behind direct light, negative before.
    shape : (n,) xi, positive.
    rate : rho, per ns.
    blur : standard deviation, ns.

    Returns
    -------
    (n,) log of 1/ns.
    """
    z = rate * blur - delay / blur
    cylinder, _ = special.pbdv(-shape, np.maximum(z, _FAR))
    scale = shape * np.log(rate) + (shape - 1.0) * np.log(blur) - 0.5 * np.log(2.0 * np.pi)
    near = scale + 0.25 * z**2 - 0.5 * (delay / blur) ** 2 + np.log(cylinder)
    late = np.maximum(delay, -_FAR * blur)[..., None] - blur * _NODES
    gamma = shape[..., None] * np.log(rate) + (shape[..., None] - 1.0) * np.log(late) - rate * late
    peak = gamma.max(axis=-1)
    far = peak + np.log(np.exp(gamma - peak[..., None]) @ _WEIGHTS) - special.gammaln(shape)
    return np.asarray(np.where(z < _FAR, far, near))


def log_survival(delay: Array, shape: Array, rate: float, blur: float) -> Array:
    """Logarithm of the chance that a photon comes after `delay`.

    Survival rises with the shape by density / rate per unit (Abramowitz & Stegun 6.5.21, which blurring keeps), so that
    the quadrature over the blur is done two units higher, where nothing is singular at zero delay.

    Parameters
    ----------
    delay, shape, rate, blur : as of `log_density`.

    Returns
    -------
    (n,) values of at most 0.
    """
    before = rate * np.maximum(delay[..., None] - blur * _NODES, 0.0)
    survival = special.gammaincc(shape[..., None] + 2.0, before) @ _WEIGHTS
    for higher in (1.0, 2.0):
        survival -= np.exp(log_density(delay, shape + higher, rate, blur)) / rate
    return np.asarray(np.log(np.minimum(survival, 1.0)))

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from skymap_scanner.physics.density import log_density, log_survival
from skymap_scanner.physics.photons import BLUR, SHOWER_LIGHT, TRACK_LIGHT

RATE = TRACK_LIGHT.rate


def blurred_gamma(delay: float, shape: float) -> float:
    """The convolution itself, by the trapezoidal rule in the logarithm of the unblurred delay."""
    y = np.linspace(-20.0 / min(shape, 1.0), np.log(max(delay, 0.0) + 12 * BLUR), 200_001)
    t = np.exp(y)
    log = shape * (np.log(RATE) + y) - RATE * t - special.gammaln(shape) - 0.5 * ((delay - t) / BLUR) ** 2
    return float(np.log(np.exp(log - log.max()).sum() * (y[1] - y[0]) / (np.sqrt(2 * np.pi) * BLUR)) + log.max())


@pytest.mark.parametrize("shape", [0.03, 0.3, 1.0, 3.0, 12.0, 36.0])
def test_density_is_the_gamma_density_blurred_with_a_gaussian(shape: float) -> None:
    delay = np.array([-140.0, -50.0, 0.0, 20.0, 120.0, 445.0, 470.0, 2000.0])
    expected = [blurred_gamma(float(t), shape) for t in delay]
    np.testing.assert_allclose(log_density(delay, np.full(8, shape), RATE, BLUR), expected, atol=1e-5)


@pytest.mark.parametrize("shape", [0.03, 0.3, 1.0, 3.0, 12.0])
def test_density_is_normalised_and_survival_is_its_integral(shape: float) -> None:
    delay = np.arange(-300.0, 12_000.0, 0.25)
    density = np.exp(log_density(delay, np.full_like(delay, shape), RATE, BLUR))
    integral = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * 0.25)])
    assert integral[-1] == pytest.approx(1.0, abs=1e-5)
    some = np.searchsorted(delay, [-50.0, 0.0, 30.0, 300.0, 2000.0])
    survival = np.exp(log_survival(delay[some], np.full(5, shape), RATE, BLUR))
    np.testing.assert_allclose(survival, 1.0 - integral[some], atol=1e-5)


def test_rates_are_those_of_the_literature() -> None:
    # 1 / 556.7 ns + light speed in ice / 98 m (Nucl. Instrum. Meth. A 524 (2004) 169)
    assert TRACK_LIGHT.rate == pytest.approx(1 / 556.7 + 0.299792458 / 1.35634 / 98.0)
    assert SHOWER_LIGHT.rate == pytest.approx(1 / 450.0 + 0.299792458 / 1.35634 / 98.0)

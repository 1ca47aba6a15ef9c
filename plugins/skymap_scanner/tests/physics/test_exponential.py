from __future__ import annotations

import math

import numpy as np

from skymap_scanner.physics.compiled import kernel
from skymap_scanner.physics.density import Array
from skymap_scanner.physics.exponential import exp


@kernel
def exps(x: Array) -> Array:
    found = np.empty_like(x)
    for i in range(x.size):
        found[i] = exp(x[i])
    return found


def test_exponential_is_that_of_the_c_library() -> None:
    x = np.concatenate([np.linspace(-690.0, 690.0, 100_001), np.linspace(-1e-9, 1e-9, 11)])
    np.testing.assert_allclose(exps(x), np.exp(x), rtol=5e-16 * 2)


def test_exponential_of_what_is_hopelessly_unlikely_is_nothing() -> None:
    assert (exps(np.array([-701.0, -1e4, -1e300])) == exps(np.array([-700.0]))).all()
    assert math.isclose(exps(np.array([-700.0]))[0], 0.0, abs_tol=1e-300)

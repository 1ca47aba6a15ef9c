from __future__ import annotations

import numpy as np

from skymap_scanner.physics import layers


def test_the_dust_layer_is_dirty_and_the_deep_ice_clean() -> None:
    dust, deep = 0, 1
    scattering, absorption = layers.factors(np.array([-70.0, -400.0]))
    assert scattering[dust] > 1.3 > 0.9 > scattering[deep]
    assert absorption[dust] > 1.2 > 0.9 > absorption[deep]


def test_the_detector_is_average_on_the_whole() -> None:
    for factor in layers.factors(np.arange(-50.0, 447.0, 1.0)):
        assert abs(factor.mean() - 1.0) < 0.1

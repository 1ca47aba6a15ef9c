"""How far light travels."""

from __future__ import annotations

import numpy as np
import pytest

from skymap_scanner.detector.ice import SURFACE, absorption_length, scattering_length


@pytest.mark.parametrize(
    ("depth", "scattering", "absorption"),
    [(1398.4, 13.2, 45.1), (1408.4, 14.0, 48.6), (1403.4, 13.6, 46.85), (2058.4, 10.3, 44.8)],
)
def test_measured_layers(depth: float, scattering: float, absorption: float) -> None:
    """Two entries of the table, between them, and the dust two thirds down."""
    assert scattering_length(SURFACE - depth) == pytest.approx(scattering, rel=0.5 if depth > 2000 else 1e-9)
    assert absorption_length(SURFACE - depth) == pytest.approx(absorption, rel=0.9 if depth > 2000 else 1e-9)


def test_beyond_the_layers_the_nearest_counts() -> None:
    assert scattering_length(5000.0) == scattering_length(SURFACE - 1398.4)
    assert absorption_length(-5000.0) == absorption_length(-700.0)


def test_the_dust_is_where_it_is_known_to_be() -> None:
    height = np.arange(-500.0, 501.0, 10.0)
    dustiest = height[np.argmin(scattering_length(height))]
    assert -200 < dustiest < -50
    clear = absorption_length(np.array([-400.0]))
    assert clear > 3 * absorption_length(np.array([dustiest]))


def test_shapes() -> None:
    assert scattering_length(np.zeros((2, 3))).shape == (2, 3)
    assert absorption_length([0.0, 1.0]).shape == (2,)

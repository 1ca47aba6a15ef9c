from __future__ import annotations

import numpy as np
import pytest

from skymap_scanner.physics import spline, tables
from skymap_scanner.physics.compiled import kernel
from skymap_scanner.physics.density import Array, log_density, log_survival
from skymap_scanner.physics.photons import BLUR, Pandel
from skymap_scanner.physics.tabulate import LIGHTS, coefficients


@kernel
def look_up(table: Array, nodes: Array, u: Array, v: Array, others: float) -> Array:
    found = np.empty((8, u.size))
    for i in range(u.size):
        j, k = int(u[i]), int(v[i])
        cell = j * tables.STRIDE + k * 2
        found[:6, i] = spline.derivatives(table, cell, u[i] - j, v[i] - k, others)
        found[6, i] = spline.value(table, cell, u[i] - j, v[i] - k, others)
        found[7, i] = spline.rough(nodes, cell, u[i] - j, v[i] - k, others)
    return found


def places(n: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(3)
    return rng.uniform(0.0, tables.U_CELLS, n), rng.uniform(0.0, tables.V_CELLS, n)


@pytest.mark.parametrize(("name", "light"), LIGHTS.items())
def test_shipped_tables_are_those_the_generator_makes(name: str, light: Pandel) -> None:
    np.testing.assert_allclose(tables.load(name), coefficients(light), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("name", "light"), LIGHTS.items())
def test_tables_follow_the_exact_density_and_survival(name: str, light: Pandel) -> None:
    u, v = places(20_000)
    part = u / tables.PER_U
    delay = tables.EARLIEST + tables.KNEE * part / (1.0 - part)
    shape = (tables.SMALLEST + v / tables.PER_V) ** 2
    table, nodes = tables.load(name).reshape(-1), tables.nodes(name).reshape(-1)
    density, both = (look_up(table, nodes, u, v, others) for others in (0.0, 1.0))
    exact = log_density(delay, shape, light.rate, BLUR)
    survival = log_survival(delay, shape, light.rate, BLUR)
    for found, expected in ((density[6], exact), (both[6] - density[6], survival)):
        error = np.abs(found - expected)
        assert np.median(error) < 1e-6
        assert np.quantile(error, 0.99) < 0.006
        assert error.max() < 0.03  # where the smallest shapes are
    # The rough table serves searches: it is right where light is likely, and never wild.
    likely = exact > -12.0
    error = np.abs(density[7] - exact)[likely]
    assert np.quantile(error, 0.95) < 0.05
    assert error.max() < 0.5


def test_look_up_derivatives_are_those_of_its_value() -> None:
    u, v = places(2000)
    u, v = np.clip(u, 1.0, tables.U_CELLS - 1.0), np.clip(v, 1.0, tables.V_CELLS - 1.0)
    table, nodes = tables.load("track").reshape(-1), tables.nodes("track").reshape(-1)
    step = 1e-5
    centre = look_up(table, nodes, u, v, 9.0)
    by_u = (look_up(table, nodes, u + step, v, 9.0) - look_up(table, nodes, u - step, v, 9.0)) / (2 * step)
    by_v = (look_up(table, nodes, u, v + step, 9.0) - look_up(table, nodes, u, v - step, 9.0)) / (2 * step)
    np.testing.assert_array_equal(centre[0], centre[6])
    for derivative, found in ((1, by_u[0]), (2, by_v[0]), (3, by_u[1]), (4, by_u[2]), (5, by_v[2])):
        np.testing.assert_allclose(centre[derivative], found, rtol=1e-4, atol=1e-4)


def test_tables_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        tables.load("track")[0] = 0.0

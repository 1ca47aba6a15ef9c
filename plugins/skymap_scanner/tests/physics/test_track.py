from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from skymap_scanner.hits import Hits
from skymap_scanner.physics import track
from skymap_scanner.physics.likelihood import Settings, track_model
from skymap_scanner.physics.model import Model, View

Array = NDArray[np.float64]
MPE = Settings(cap=50.0, noise=0.02, layered=True)
FLAT = Settings(cap=50.0, noise=0.02, layered=False)
ZENITH, AZIMUTH = 1.9, 0.7

zeniths = st.floats(0.0, np.pi)
azimuths = st.floats(0.0, 2 * np.pi)
points = st.tuples(st.floats(-150, 150), st.floats(-150, 150), st.floats(-400, 400)).map(np.array)


@pytest.fixture(scope="module")
def hits(make_track: Callable[..., Hits]) -> Hits:
    found = make_track(ZENITH, AZIMUTH, (20.0, -30.0, -100.0), 10_000.0)
    charge = np.random.default_rng(5).uniform(0.2, 80.0, len(found))
    return Hits(string=found.string, om=found.om, position=found.position, time=found.time, charge=charge)


@pytest.fixture(scope="module")
def model(hits: Hits) -> Model:
    return track_model(hits, MPE)


def view(model: Model, zenith: float, azimuth: float) -> View:
    return track.seen_along(model, track.frame(zenith, azimuth))


def derivatives(seen: View, at: Array) -> tuple[float, Array, Array]:
    gradient, hessian = np.empty(3), np.empty((3, 3))
    return track.derivatives(seen, at, gradient, hessian), gradient, hessian


@given(zeniths, azimuths, points)
def test_gradient_and_hessian_are_finite_differences(model: Model, zenith: float, azimuth: float, at: Array) -> None:
    seen = view(model, zenith, azimuth)
    llh, gradient, hessian = derivatives(seen, at)
    assert llh == track.value(seen, at)
    step = 1e-4
    by_value = [(track.value(seen, at + e) - track.value(seen, at - e)) / (2 * step) for e in step * np.eye(3)]
    by_gradient = [(derivatives(seen, at + e)[1] - derivatives(seen, at - e)[1]) / (2 * step) for e in step * np.eye(3)]
    np.testing.assert_allclose(gradient, by_value, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(hessian, by_gradient, rtol=1e-3, atol=1e-3)


@given(zeniths, azimuths)
def test_axes_are_orthonormal_and_point_along_the_flight(zenith: float, azimuth: float) -> None:
    axes = track.frame(zenith, azimuth)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    source = [np.sin(zenith) * np.cos(azimuth), np.sin(zenith) * np.sin(azimuth), np.cos(zenith)]
    np.testing.assert_allclose(axes[2], -np.array(source), atol=1e-12)
    assert axes[1, 2] == 0.0


@given(azimuths, points)
def test_turning_the_detector_turns_the_sky(hits: Hits, angle: float, at: Array) -> None:
    turn = np.array([[np.cos(angle), -np.sin(angle), 0.0], [np.sin(angle), np.cos(angle), 0.0], [0.0, 0.0, 1.0]])
    turned = Hits(string=hits.string, om=hits.om, position=hits.position @ turn.T, time=hits.time, charge=hits.charge)
    before = track.value(view(track_model(hits, FLAT), ZENITH, AZIMUTH), at)
    after = track.value(view(track_model(turned, FLAT), ZENITH, AZIMUTH + angle), at)
    assert after == pytest.approx(before, abs=1e-7)


@given(st.floats(-1e5, 1e5), points)
def test_only_differences_of_times_matter(hits: Hits, shift: float, at: Array) -> None:
    later = Hits(string=hits.string, om=hits.om, position=hits.position, time=hits.time + shift, charge=hits.charge)
    before = track.value(view(track_model(hits, MPE), ZENITH, AZIMUTH), at)
    assert track.value(view(track_model(later, MPE), ZENITH, AZIMUTH), at) == pytest.approx(before, abs=1e-6)


@given(zeniths, azimuths, points)
def test_rough_value_is_near_the_true_one(model: Model, zenith: float, azimuth: float, at: Array) -> None:
    seen = view(model, zenith, azimuth)
    assert track.rough(seen, at) == pytest.approx(track.value(seen, at), rel=0.02)


@pytest.mark.parametrize("time", [-1e9, -1e5, 1e5, 1e9])
def test_a_track_far_too_early_or_late_leaves_noise_alone(model: Model, time: float) -> None:
    seen = view(model, ZENITH, AZIMUTH)
    llh, gradient, hessian = derivatives(seen, np.array([0.0, 0.0, time]))
    if time > 0:
        assert llh == pytest.approx(-len(model.time) * np.log(model.noise))
    assert np.isfinite(llh)
    assert np.isfinite(gradient).all()
    assert np.isfinite(hessian).all()
    assert np.abs(gradient).max() < 1e-6


def test_first_of_one_photon_is_the_one_photon_likelihood(make_track: Callable[..., Hits]) -> None:
    one = make_track(ZENITH, AZIMUTH, (20.0, -30.0, -100.0), 10_000.0)
    at = np.array([3.0, 4.0, 5.0])
    values = [
        track.value(view(track_model(one, Settings(cap=cap, noise=0.02, layered=True)), ZENITH, AZIMUTH), at)
        for cap in (1.0, 50.0)
    ]
    assert values[0] == values[1]

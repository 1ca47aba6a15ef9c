from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymap_scanner.hits import Hits
from skymap_scanner.physics import track
from skymap_scanner.physics.likelihood import Settings, track_model
from skymap_scanner.physics.model import Array, Model
from skymap_scanner.physics.profile import ALL, CENTRE, NONE, across, profile

ZENITH, AZIMUTH, VERTEX, TIME = 1.2, 4.0, (60.0, -40.0, 50.0), 9_000.0


@pytest.fixture(scope="module")
def model(make_track: Callable[..., Hits]) -> Model:
    return track_model(make_track(ZENITH, AZIMUTH, VERTEX, TIME), Settings(cap=1.0, noise=0.02, layered=False))


def run(model: Model, directions: Array, searches: int, seeds: Array | None = None) -> Array:
    n = len(directions)
    given_seeds = np.empty((0, 4)) if seeds is None else seeds
    first = np.arange(n + 1) * (len(given_seeds) // n)
    found: Array = profile(model, directions, given_seeds, first, np.full(n, searches))
    return found


def seed_of_truth(model: Model) -> Array:
    return np.array([[*(np.array(VERTEX) - model.centre), TIME - model.middle]])


def value_at(model: Model, direction: Array, vertex: Array) -> float:
    axes, at = track.frame(*direction), np.empty(3)
    across(axes, vertex, at)
    return float(track.value(track.seen_along(model, axes), at))


def test_the_true_direction_gives_the_true_track_from_any_start(model: Model) -> None:
    truth = np.array([[ZENITH, AZIMUTH]])
    at_truth = value_at(model, truth[0], seed_of_truth(model)[0])
    near, searched = run(model, truth, NONE, seed_of_truth(model)), run(model, truth, ALL)
    assert near[0, 0] == pytest.approx(searched[0, 0], abs=1e-3)
    np.testing.assert_allclose(near, searched, atol=0.3)
    assert at_truth - 10.0 < near[0, 0] < at_truth
    flight = track.frame(ZENITH, AZIMUTH)[2]
    miss = seed_of_truth(model)[0, :3] - near[0, 1:4]
    assert np.linalg.norm(miss - (miss @ flight) * flight) < 5.0  # m across the track


def test_answers_are_minima(model: Model) -> None:
    directions = np.array([[ZENITH + 0.03, AZIMUTH - 0.02]])
    found = run(model, directions, CENTRE)[0]
    for offset in np.vstack([np.eye(4), -np.eye(4)]) * 0.5:
        assert value_at(model, directions[0], found[1:] + offset) > found[0] - 1e-6


def test_the_point_told_is_on_the_track_next_to_the_centre(model: Model) -> None:
    directions = np.array([[2.0, 1.0], [0.3, 5.0]])
    for direction, found in zip(directions, run(model, directions, CENTRE), strict=True):
        assert found[1:4] @ track.frame(*direction)[2] == pytest.approx(0.0, abs=1e-9)
        assert value_at(model, direction, found[1:]) == pytest.approx(found[0], abs=1e-9)


@settings(max_examples=10)
@given(st.permutations(range(8)), st.integers(1, 7))
def test_answers_do_not_depend_on_the_batch_bit_for_bit(model: Model, order: list[int], cut: int) -> None:
    rng = np.random.default_rng(2)
    directions = np.column_stack([np.arccos(rng.uniform(-1, 1, 8)), rng.uniform(0, 2 * np.pi, 8)])
    together = run(model, directions, CENTRE)
    shuffled = np.vstack([run(model, directions[order[:cut]], CENTRE), run(model, directions[order[cut:]], CENTRE)])
    np.testing.assert_array_equal(shuffled, together[order])


def test_more_seeds_and_searches_never_make_it_worse(model: Model) -> None:
    rng = np.random.default_rng(4)
    directions = np.column_stack([np.arccos(rng.uniform(-1, 1, 20)), rng.uniform(0, 2 * np.pi, 20)])
    seeds = np.repeat(seed_of_truth(model), 20, axis=0)
    seeded, both = run(model, directions, NONE, seeds), run(model, directions, CENTRE, seeds)
    assert (both[:, 0] <= seeded[:, 0]).all()


def test_no_directions_give_no_answers(model: Model) -> None:
    first, searches = np.zeros(1, np.int64), np.empty(0, np.int64)
    assert profile(model, np.empty((0, 2)), np.empty((0, 4)), first, searches).shape == (0, 5)

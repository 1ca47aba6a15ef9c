"""From light to pulses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from skymap_scanner.detector.geometry import modules
from skymap_scanner.physics.density import log_survival
from skymap_scanner.physics.photons import BLUR, TRACK_LIGHT
from skymap_scanner.physics.tables import EARLIEST
from skymap_scanner.pulses import HLC, PULSE, module_keys
from skymap_scanner.simulation.light import Light
from skymap_scanner.simulation.readout import (
    AFTER,
    BEFORE,
    COINCIDENCE,
    MERGED,
    NEIGHBOURS,
    NOISE_RATE,
    in_coincidence,
    read_out,
)

times = st.integers(-3000, 3000) | st.sampled_from([-COINCIDENCE, 0, 1, COINCIDENCE, COINCIDENCE + 1])


def even_light(expected: float, shape: float = 1.0, direct: float = 0.0) -> Light:
    """Light that every module sees alike."""
    detector = modules()
    ones = np.ones(len(detector.rde))
    return Light(expected=expected / detector.rde, direct=direct * ones, shape=shape * ones, rate=TRACK_LIGHT.rate * ones)


@pytest.mark.parametrize("shape", [0.3, 2.0, 7.0])
def test_first_pulses_come_when_the_likelihood_says(shape: float) -> None:
    """With m photons expected and noise of rate r, none comes before t with the chance exp(-m (1 - S(t)) - r t)."""
    photons = 1.5
    pulses = read_out(modules(), even_light(photons, shape), np.random.default_rng(11))
    keys, first = np.unique(module_keys(pulses), return_index=True)
    middle = float(np.median(pulses["time"]))

    def before(t: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        late = np.exp(log_survival(np.maximum(t, EARLIEST), np.full_like(t, shape), TRACK_LIGHT.rate, BLUR))
        return 1.0 - np.exp(-photons * (1.0 - late) - NOISE_RATE * (t - middle + BEFORE))

    ever = float(before(np.array([middle + AFTER]))[0])
    assert len(keys) == pytest.approx(ever * len(modules().rde), rel=0.03)
    assert stats.kstest(pulses["time"][first], lambda t: before(np.asarray(t)) / ever).pvalue > 0.01


def test_charge_is_a_photoelectron_a_photon() -> None:
    detector = modules()
    pulses = read_out(detector, even_light(20.0, 3.0), np.random.default_rng(1))
    assert pulses["charge"].sum() == pytest.approx(20.0 * len(detector.rde), rel=0.01)
    assert pulses["charge"].min() > 0.1


def test_light_of_ten_ns_is_one_pulse() -> None:
    """Delays of shape 1 fall off exponentially; counted are the spans in which at least one photon is expected to fall."""
    photons = 60.0
    pulses = read_out(modules(), even_light(photons, 1.0), np.random.default_rng(1))
    _, count = np.unique(module_keys(pulses), return_counts=True)
    begin = MERGED * np.arange(500)
    share = np.exp(-TRACK_LIGHT.rate * begin) - np.exp(-TRACK_LIGHT.rate * (begin + MERGED))
    assert count.mean() == pytest.approx(np.sum(1.0 - np.exp(-photons * share)), rel=0.05)


def test_pulses_are_sorted_whole_and_in_the_window() -> None:
    pulses = read_out(modules(), even_light(2.0, 5.0, direct=10_000.0), np.random.default_rng(2))
    assert pulses.dtype == PULSE
    order = np.lexsort((pulses["time"], pulses["om"], pulses["string"]))
    assert np.array_equal(order, np.arange(len(pulses)))
    assert np.array_equal(pulses["time"], np.round(pulses["time"]))
    assert np.ptp(pulses["time"]) < BEFORE + AFTER + 1


def test_in_the_dark_there_is_noise_and_little_coincidence() -> None:
    dark = even_light(0.0)
    pulses = [read_out(modules(), dark, np.random.default_rng(seed)) for seed in range(20)]
    expected = NOISE_RATE * (BEFORE + AFTER) * len(modules().rde)
    assert np.mean([len(one) for one in pulses]) == pytest.approx(expected, rel=0.15)
    assert np.mean([((one["flags"] & HLC) > 0).mean() for one in pulses]) < 0.1


def test_light_in_all_modules_is_in_coincidence() -> None:
    pulses = read_out(modules(), even_light(10.0), np.random.default_rng(3))
    early = pulses[pulses["time"] < 300.0]
    assert ((early["flags"] & HLC) > 0).mean() > 0.99


def test_a_module_in_coincidence_with_itself_is_not() -> None:
    detector = modules()
    rows = detector.rows_of([20, 20, 20, 21, 20], [10, 12, 20, 10, 12])
    assert in_coincidence(detector, rows, np.array([0.0, 900.0, 900.0, 10.0, 5000.0])).tolist() == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert not in_coincidence(detector, rows[[0, 0]], np.array([0.0, 1.0])).any()
    assert in_coincidence(detector, rows[:2], np.array([0.0, COINCIDENCE])).all()
    assert not in_coincidence(detector, rows[:2], np.array([0.0, COINCIDENCE + 1])).any()


@given(
    st.lists(
        st.tuples(st.integers(20, 22), st.integers(1, 12), times),
        min_size=1,
        max_size=40,
    )
)
def test_coincidence_is_what_its_definition_says(pulses: list[tuple[int, int, int]]) -> None:
    detector = modules()
    string, om, time = (np.array(column) for column in zip(*pulses, strict=True))
    alive = detector.rows_of(string, om) >= 0
    string, om, time = string[alive], om[alive], time[alive]
    apart = np.abs(om[:, None] - om)
    near = (string[:, None] == string) & (apart > 0) & (apart <= NEIGHBOURS)
    expected = (near & (np.abs(time[:, None] - time) <= COINCIDENCE)).any(axis=1)
    assert in_coincidence(detector, detector.rows_of(string, om), time).tolist() == expected.tolist()


def test_efficient_modules_see_more() -> None:
    detector = modules()
    light = even_light(1.0)
    even = dataclasses.replace(light, expected=np.full(len(detector.rde), 5.0))
    pulses = read_out(detector, even, np.random.default_rng(4))
    charge = np.bincount(detector.rows_of(pulses["string"], pulses["om"]), pulses["charge"], len(detector.rde))
    efficient = detector.rde > 1.2
    assert charge[efficient].mean() / charge[~efficient].mean() == pytest.approx(
        detector.rde[efficient].mean() / detector.rde[~efficient].mean(), rel=0.05
    )

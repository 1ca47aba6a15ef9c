"""Simulated events: repeatable, as bright as alerts, and following the model that reconstructs them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from skymap_scanner.detector.geometry import modules
from skymap_scanner.errors import ScanError
from skymap_scanner.hits import hits_of
from skymap_scanner.physics.photons import DELAY_PER_METRE, SPEED_OF_LIGHT
from skymap_scanner.pulses import HLC, PULSE
from skymap_scanner.reading import native
from skymap_scanner.simulation.photons import Light, flight_of, shower_light, track_light
from skymap_scanner.simulation.readout import in_coincidence, read_out
from skymap_scanner.simulation.sample import ENOUGH_MODULES, random_event
from skymap_scanner.simulation.simulate import simulate


@settings(max_examples=10, deadline=None)
@given(
    kind=st.sampled_from(["track", "cascade"]),
    zenith=st.floats(0, math.pi),
    azimuth=st.floats(0, 2 * math.pi),
    energy=st.floats(1e3, 1e6),
    seed=st.integers(0, 10**9),
)
def test_the_same_arguments_give_the_same_event(kind: str, zenith: float, azimuth: float, energy: float, seed: int) -> None:
    first, again = (simulate(kind, zenith, azimuth, energy, seed) for _ in range(2))
    assert first.pulses.tobytes() == again.pulses.tobytes()
    assert first.truth == again.truth
    if len(first.pulses):
        assert native.dumps(native.loads(native.dumps(first))) == native.dumps(first)


def test_another_seed_gives_another_event() -> None:
    first, other = (simulate("track", 1.0, 2.0, 1e5, seed) for seed in (1, 2))
    assert first.pulses.tobytes() != other.pulses.tobytes()


def test_tracks_are_as_bright_as_alerts_of_their_energy() -> None:
    """Real alerts of some 100 TeV: 175 modules and 830 PE, 133 modules and 1,320 PE."""
    hits = [hits_of(simulate("track", 1.2, 2.0, 1e5, seed, vertex=(0.0, 0.0, 0.0))) for seed in range(5)]
    assert 120 < np.median([len(one) for one in hits]) < 250
    assert 700 < np.median([one.charge.sum() for one in hits]) < 2500


def test_more_energy_is_more_light() -> None:
    charges = [
        float(simulate("cascade", 1.0, 2.0, energy, 1, vertex=(0.0, 0.0, 0.0)).pulses["charge"].sum())
        for energy in (1e4, 1e5, 1e6)
    ]
    assert charges[0] < charges[1] < charges[2]


def test_delays_follow_the_density_of_the_reconstruction() -> None:
    """Delays of the photons of one far module are gamma distributed before they are blurred."""
    detector = modules()
    flight = flight_of(1.0, 2.0)
    light = track_light(detector.position, np.array([0.0, 0.0, 0.0]), 0.0, flight, 1e5)
    row = int(np.argmin(np.abs(light.shape - 3.0)))
    rng = np.random.default_rng(1)
    one = Light(
        expected=np.where(np.arange(len(light.expected)) == row, 1000.0 / detector.rde, 0.0),
        direct=light.direct,
        shape=light.shape,
        rate=light.rate,
    )
    pulses = read_out(detector, one, rng)
    mine = (pulses["string"] == detector.string[row]) & (pulses["om"] == detector.om[row])
    first = pulses["time"][mine].min() - light.direct[row]
    survival = stats.gamma(light.shape[row], scale=1 / light.rate[row]).sf
    assert survival(first + 60.0) ** 1000 < 0.999
    delays = rng.gamma(light.shape[row], size=4000) / light.rate[row]
    assert stats.kstest(delays, stats.gamma(light.shape[row], scale=1 / light.rate[row]).cdf).pvalue > 0.01


def test_direct_light_of_a_track_comes_under_the_cherenkov_angle() -> None:
    flight = np.array([0.0, 0.0, -1.0])
    light = track_light(np.array([[100.0, 0.0, -50.0]]), np.zeros(3), 10.0, flight, 1e5)
    assert light.direct[0] == pytest.approx(10.0 + 50.0 / SPEED_OF_LIGHT + 100.0 * DELAY_PER_METRE)


def test_light_of_a_shower_is_the_same_all_round() -> None:
    places = 100.0 * np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [-0.6, 0.8, 0.0]])
    light = shower_light(places, np.zeros(3), 0.0, 1e5)
    assert np.ptp(light.expected) < 1e-9 * light.expected[0]
    assert np.ptp(light.direct) < 1e-9 * light.direct[0]


def test_coincidences_are_of_neighbours_within_a_microsecond() -> None:
    detector = modules()
    rows = detector.rows_of([20, 20, 20, 21, 20], [10, 12, 20, 10, 12])
    times = np.array([0.0, 900.0, 900.0, 10.0, 5000.0])
    assert in_coincidence(detector, rows, times).tolist() == [True, True, False, False, False]


def test_noise_alone_is_rarely_in_coincidence() -> None:
    detector = modules()
    none, ones = np.zeros(len(detector.rde)), np.ones(len(detector.rde))
    dark = Light(expected=none, direct=none, shape=ones, rate=ones)
    pulses = read_out(detector, dark, np.random.default_rng(3))
    assert pulses.dtype == PULSE
    assert 10 < len(pulses) < 60
    assert ((pulses["flags"] & HLC) > 0).mean() < 0.2


def test_drawn_events_are_bright_and_repeatable() -> None:
    for seed in range(3):
        alert = random_event(seed)
        assert len(hits_of(alert)) >= ENOUGH_MODULES
        assert alert.pulses.tobytes() == random_event(seed).pulses.tobytes()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "muon"}, "kind 'muon' is unknown; simulate a track or a cascade"),
        ({"zenith": 4.0}, "zenith 229.183 degrees is out of range"),
        ({"azimuth": -1.0}, "azimuth -57.2958 degrees is out of range"),
        ({"energy": 10.0}, "energy 10 GeV is out of range; give 100 to 1e+08"),
        ({"seed": -1}, "seed -1 is out of range"),
    ],
)
def test_a_value_out_of_range_is_named(change: dict[str, Any], words: str) -> None:
    arguments: dict[str, Any] = {"kind": "track", "zenith": 1.0, "azimuth": 2.0, "energy": 1e5, "seed": 1} | change
    with pytest.raises(ScanError) as raised:
        simulate(**arguments)
    assert words in str(raised.value)

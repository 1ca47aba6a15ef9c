"""Simulated events: repeatable, as bright as alerts, and readable."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymap_scanner.errors import ScanError
from skymap_scanner.hits import cleaned, hits_of
from skymap_scanner.reading import native
from skymap_scanner.reading.limits import MAX_PULSES
from skymap_scanner.simulation import simulate


@settings(max_examples=10)
@given(
    kind=st.sampled_from(["track", "cascade"]),
    zenith=st.floats(0, math.pi),
    azimuth=st.floats(0, 2 * math.pi),
    energy=st.floats(1e2, 1e6),
    seed=st.integers(0, 2**63 - 1),
)
def test_the_same_arguments_give_the_same_event(kind: str, zenith: float, azimuth: float, energy: float, seed: int) -> None:
    first, again = (simulate(kind, zenith, azimuth, energy, seed) for _ in range(2))
    written = native.dumps(first)
    assert written == native.dumps(again)
    assert native.dumps(native.loads(written)) == written


def test_another_seed_gives_another_event() -> None:
    first, other = (simulate("track", 1.0, 2.0, 1e5, seed) for seed in (1, 2))
    assert first.truth != other.truth
    assert native.dumps(first) != native.dumps(other)


def test_the_truth_is_what_was_asked_for() -> None:
    alert = simulate("cascade", 1.0, 2.0, 1e5, 7, vertex=(10.0, -20.0, 30.0), mjd=60_000.5)
    truth, header = alert.truth, alert.header
    assert truth is not None
    assert (truth.kind, truth.zenith, truth.azimuth, truth.energy) == ("cascade", 1.0, 2.0, 1e5)
    assert (truth.x, truth.y, truth.z) == (10.0, -20.0, 30.0)
    assert (header.event_id, header.mjd, header.is_real) == (7, 60_000.5, False)


def test_tracks_are_as_bright_as_alerts_of_their_energy() -> None:
    """Real ones have, after cleaning, 175 modules with 888 pulses and 830 PE, and 133 with 664 and 1,322."""
    alerts = [simulate("track", 1.2, 2.0, 1e5, seed, vertex=(0.0, 0.0, 0.0)) for seed in range(5)]
    hits = [hits_of(alert) for alert in alerts]
    assert 120 < np.median([len(one) for one in hits]) < 220
    assert 500 < np.median([len(cleaned(alert.pulses)) for alert in alerts]) < 1100
    assert 700 < np.median([one.charge.sum() for one in hits]) < 1700


@pytest.mark.parametrize("kind", ["track", "cascade"])
def test_more_energy_is_more_light(kind: str) -> None:
    charges = [
        float(simulate(kind, 1.0, 2.0, energy, 1, vertex=(0.0, 0.0, 0.0)).pulses["charge"].sum())
        for energy in (1e3, 1e4, 1e5, 1e6)
    ]
    assert charges == sorted(charges)


@pytest.mark.parametrize("kind", ["track", "cascade"])
def test_the_brightest_events_are_within_what_files_may_hold(kind: str) -> None:
    alert = simulate(kind, 1.0, 2.0, 1e8, 1, vertex=(0.0, 0.0, 0.0))
    assert 10_000 < len(alert.pulses) < MAX_PULSES / 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "muon"}, "kind 'muon' is unknown; simulate a track or a cascade"),
        ({"zenith": 4.0}, "zenith 229.183 degrees is out of range"),
        ({"zenith": math.nan}, "zenith nan degrees is out of range"),
        ({"azimuth": -1.0}, "azimuth -57.2958 degrees is out of range"),
        ({"energy": 10.0}, "energy 10 GeV is out of range; give 100 to 1e+08"),
        ({"energy": math.inf}, "energy inf GeV is out of range"),
        ({"seed": -1}, "seed -1 is out of range"),
        ({"seed": 2**63}, "seed 9223372036854775808 is out of range"),
        ({"mjd": -1.0}, "mjd -1 is out of range"),
        ({"mjd": math.nan}, "mjd nan is out of range"),
    ],
)
def test_a_value_out_of_range_is_named(change: dict[str, Any], words: str) -> None:
    arguments: dict[str, Any] = {"kind": "track", "zenith": 1.0, "azimuth": 2.0, "energy": 1e5, "seed": 1} | change
    with pytest.raises(ScanError) as raised:
        simulate(**arguments)
    assert words in str(raised.value)

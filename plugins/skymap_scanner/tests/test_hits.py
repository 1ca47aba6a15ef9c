"""From pulses to hits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skymap_scanner.detector.geometry import modules
from skymap_scanner.errors import NoSignal
from skymap_scanner.event import Alert, EventHeader
from skymap_scanner.hits import cleaned, hits_of
from skymap_scanner.pulses import PULSE, Pulses
from skymap_scanner.reading import load_alert

EVENTS = Path(__file__).parents[3] / ".." / "shared" / "events"


def alert_of(pulses: Pulses) -> Alert:
    return Alert(header=EventHeader(run_id=1, event_id=2, mjd=60000.0), pulses=pulses)


def pulses_of(*rows: tuple[int, int, float, float]) -> Pulses:
    """String, om, time and charge of each."""
    return np.array(sorted((*row, 8.0, 7) for row in rows), PULSE)


NEAR = ((20, 30, 1000.0, 2.0), (20, 31, 1100.0, 1.0), (20, 30, 1500.0, 3.0))


def test_first_time_and_all_charge_of_each_module() -> None:
    hits = hits_of(alert_of(pulses_of(*NEAR)))
    assert hits.string.tolist() == [20, 20]
    assert hits.om.tolist() == [30, 31]
    assert hits.time.tolist() == [1000.0, 1100.0]
    assert hits.charge.tolist() == [5.0, 1.0]
    assert np.array_equal(hits.position, modules().positions_of([20, 20], [30, 31]))
    assert np.allclose(hits.centre, (5 * hits.position[0] + hits.position[1]) / 6)
    assert len(hits) == 2


@pytest.mark.parametrize(
    "noise",
    [
        (70, 5, 1000.0, 1.0),  # far away
        (20, 32, 2600.0, 1.0),  # late for its neighbours
        (20, 50, 1000.0, 1.0),  # 300 m down
        (20, 29, 9000.0, 0.1),  # long after, with little charge
    ],
)
def test_noise_is_cleaned_away(noise: tuple[int, int, float, float]) -> None:
    assert cleaned(pulses_of(*NEAR, noise)).tolist() == pulses_of(*NEAR).tolist()


def test_a_module_is_no_company_for_itself() -> None:
    with pytest.raises(NoSignal, match="run 1 event 2: no pulses are left after noise cleaning"):
        hits_of(alert_of(pulses_of((20, 30, 1000.0, 2.0), (20, 30, 1001.0, 2.0))))


@pytest.mark.parametrize("pulses", [pulses_of(), pulses_of((20, 30, 1.0, 0.0), (20, 31, 1.0, 0.0))])
def test_nothing_to_see(pulses: Pulses) -> None:
    with pytest.raises(NoSignal):
        hits_of(alert_of(pulses))


def test_what_is_asked_for() -> None:
    pulses = pulses_of(*NEAR, (81, 30, 1000.0, 1.0), (81, 31, 1000.0, 1.0))
    pulses["flags"][0] = 4
    assert set(hits_of(alert_of(pulses)).string.tolist()) == {20}
    assert set(hits_of(alert_of(pulses), deepcore=True).string.tolist()) == {20, 81}
    assert hits_of(alert_of(pulses), hlc_only=True).time.tolist() == [1500.0, 1100.0]


def test_modules_without_a_position_are_left_out() -> None:
    dead = next((s, o) for s in range(1, 79) for o in range(1, 61) if modules().rows_of(s, o) < 0)
    neighbour = (dead[0], dead[1] % 60 + 1)
    assert len(cleaned(pulses_of((*dead, 1000.0, 1.0), (*neighbour, 1000.0, 1.0)))) == 0


ROWS = st.tuples(st.integers(1, 86), st.integers(1, 60), st.integers(0, 8000).map(float), st.integers(1, 50).map(float))
CLUSTERS = st.tuples(
    st.integers(30, 40), st.integers(20, 30), st.integers(0, 3000).map(float), st.integers(1, 50).map(float)
)


@given(rows=st.lists(ROWS | CLUSTERS, max_size=60))
@settings(max_examples=100)
def test_cleaning_is_what_it_says(rows: list[tuple[int, int, float, float]]) -> None:
    """Compared with the definition, pulse by pulse."""
    pulses = pulses_of(*rows)
    position = modules().positions_of(pulses["string"], pulses["om"])
    usable = np.isfinite(position[:, 0]) & (pulses["string"] < 79)
    pulses, position = pulses[usable], position[usable]
    if not len(pulses):
        assert len(cleaned(pulses_of(*rows))) == 0
        return
    order = np.argsort(pulses["time"], kind="stable")
    charge = np.cumsum(pulses["charge"][order], dtype=float)
    start = pulses["time"][order][np.flatnonzero(charge >= 0.10 * charge[-1])[0]] - 1000
    stop = pulses["time"][order][np.flatnonzero(charge >= 0.95 * charge[-1])[0]] + 1000
    inside = (pulses["time"] >= start) & (pulses["time"] <= stop)
    distance = np.linalg.norm(position[:, None] - position, axis=-1)
    close = (distance > 0) & (distance <= 150) & (np.abs(np.subtract.outer(pulses["time"], pulses["time"])) <= 1000)
    kept = inside & (close & inside).any(axis=1)
    assert cleaned(pulses_of(*rows)).tolist() == pulses[kept].tolist()


@pytest.mark.skipif(not EVENTS.is_dir(), reason="the folder ../shared/events with real alerts is not here")
@pytest.mark.parametrize(
    ("name", "count", "left"),
    [("138632_31747601.json", 175, 888), ("run00136662-evt000035405932-BRONZE.pkl", 133, 664)],
)
def test_modules_and_pulses_that_icecube_published(name: str, count: int, left: int) -> None:
    """IceCube published 175 and 888 of the first, 133 and 668 of the second event."""
    alert = load_alert(EVENTS / name)
    assert len(hits_of(alert)) == count
    assert len(cleaned(alert.pulses)) == left


@pytest.mark.skipif(not EVENTS.is_dir(), reason="the folder ../shared/events with real alerts is not here")
@pytest.mark.parametrize(
    ("name", "ndof"), [("event_HESE_2017-11-28.json", 188), ("hese_event_00.json", 41), ("hese_event_01.json", 24)]
)
def test_modules_that_spefit2_used(name: str, ndof: int) -> None:
    """It counts modules less five parameters."""
    assert len(hits_of(load_alert(EVENTS / name), hlc_only=True, deepcore=True)) == ndof + 5

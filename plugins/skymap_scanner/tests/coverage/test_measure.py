"""One event of the study, and a few together."""

from __future__ import annotations

import dataclasses
import math

import pytest

from skymap_scanner.coverage import calibrated_levels
from skymap_scanner.coverage.measure import measured
from skymap_scanner.errors import ScanError
from skymap_scanner.recos.mpe import Mpe
from skymap_scanner.simulation import random_event, simulate


def test_an_event_is_measured_the_same_again() -> None:
    found = measured(Mpe, random_event(4))
    assert 0 <= found.two_delta < 12
    assert found.separation < 2
    assert found.modules >= 40
    assert found == measured(Mpe, random_event(4))


def test_a_measured_event_can_be_made_again_from_its_line() -> None:
    drawn = random_event(6)
    found = measured(Mpe, drawn)
    again = simulate("track", math.radians(found.zenith), math.radians(found.azimuth), found.energy, found.event)
    assert measured(Mpe, again).two_delta == pytest.approx(found.two_delta, abs=1e-3)


def test_an_event_without_truth_is_refused() -> None:
    with pytest.raises(ScanError, match="event 400 has no truth"):
        measured(Mpe, dataclasses.replace(random_event(4), truth=None))


def test_twenty_fresh_events_are_covered_about_as_often_as_they_should() -> None:
    """A look only, beside the soak: 18 are expected, and fewer than 14 happen once in 90 samples of 20."""
    inside = sum(measured(Mpe, random_event(seed)).two_delta <= calibrated_levels("mpe")[0.9] for seed in range(20))
    assert inside >= 14

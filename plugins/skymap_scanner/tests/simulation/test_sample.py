"""Events drawn at random."""

from __future__ import annotations

import numpy as np
import pytest

from skymap_scanner.hits import hits_of
from skymap_scanner.reading import native
from skymap_scanner.simulation import random_event
from skymap_scanner.simulation.sample import ENOUGH_MODULES, LAST_SAMPLE, LOG_ENERGY


@pytest.mark.parametrize("seed", [0, 1, 123_456, LAST_SAMPLE])
def test_drawn_events_are_bright_and_repeatable(seed: int) -> None:
    alert = random_event(seed)
    assert len(hits_of(alert)) >= ENOUGH_MODULES
    assert native.dumps(alert) == native.dumps(random_event(seed))


def test_showers_can_be_drawn_too() -> None:
    truth = random_event(3, "cascade").truth
    assert truth is not None
    assert truth.kind == "cascade"


def test_directions_and_energies_are_spread() -> None:
    truths = [alert.truth for seed in range(40) if (alert := random_event(seed)).truth is not None]
    cosines = np.cos([truth.zenith for truth in truths if truth])
    energies = np.log10([truth.energy for truth in truths if truth])
    assert 10 < (cosines > 0).sum() < 30
    assert energies.min() >= LOG_ENERGY[0]
    assert energies.max() <= LOG_ENERGY[1]
    assert np.ptp(energies) > 1.5

"""Which pulses are where."""

from __future__ import annotations

import numpy as np

from skymap_scanner.pulses import PULSE, in_ice, module_keys

PULSES = np.array(
    [(1, 1, 0, 1, 1, 7), (1, 61, 0, 1, 1, 7), (86, 60, 0, 1, 1, 7), (87, 1, 0, 1, 1, 7), (0, 5, 0, 1, 1, 7)], PULSE
)


def test_in_the_ice_are_60_modules_on_86_strings() -> None:
    assert in_ice(PULSES).tolist() == [True, False, True, False, False]


def test_keys_sort_as_strings_and_modules_do() -> None:
    pulses = np.sort(PULSES)
    assert np.all(np.diff(module_keys(pulses)) > 0)

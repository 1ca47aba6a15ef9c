"""How far a scan is, from its own line."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from skymap_scanner.scanning.rounds import Rounds
from skymap_scanner.scanning.status import status_of
from skymap_scanner.skydriver.web.standing import Level, levels_of


@pytest.mark.parametrize("minimum", [None, (1693.08, 64, 12345)])
def test_levels_are_those_that_the_scan_tells_of(minimum: Any) -> None:
    rounds = SimpleNamespace(planned={8: 768, 64: 704}, done={8: 768, 64: 12}, minimum=minimum)
    note = status_of(cast(Rounds, rounds))
    assert levels_of(note, [8, 64, 512]) == [Level(8, 768, 768), Level(64, 12, 704), Level(512, 0, 0)]


def test_a_scan_that_says_nothing_has_not_begun() -> None:
    assert levels_of("", [1, 2]) == [Level(1, 0, 0), Level(2, 0, 0)]

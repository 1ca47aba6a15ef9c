from __future__ import annotations

import pytest

from bench.case import Aim, Goal


@pytest.mark.parametrize(
    ("aim", "value", "is_met"),
    [(Aim.AT_LEAST, 95.0, True), (Aim.AT_LEAST, 94.9, False), (Aim.BELOW, 95.0, False), (Aim.BELOW, 94.9, True)],
)
def test_a_goal_tells_on_which_side_of_its_limit_a_figure_is(aim: Aim, value: float, is_met: bool) -> None:
    assert Goal(aim, 95.0).is_met(value) is is_met

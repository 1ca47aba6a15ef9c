from __future__ import annotations

from bench.ratios import Spread, ratios


def test_ratios_are_taken_round_by_round() -> None:
    # The machine was ten times slower in the second round, for both: that must not show.
    assert ratios([200.0, 20.0, 600.0], [100.0, 10.0, 200.0]) == Spread(2.0, 2.0, 3.0)


def test_a_round_that_only_one_of_them_ran_does_not_count() -> None:
    assert ratios([200.0, 999.0], [100.0]) == Spread(2.0, 2.0, 2.0)

"""Rates are of the last half minute."""

from __future__ import annotations

from ewms.wms.service.rates import Rates


def test_nothing_is_known_before_two_looks() -> None:
    rates = Rates()
    assert rates.per_second() == {}
    rates.note({"a": 5}, 100.0)
    assert rates.per_second() == {}
    rates.note({"a": 6}, 100.1)
    assert rates.per_second() == {}, "too short to tell"


def test_the_past_is_forgotten() -> None:
    rates = Rates()
    for second in range(100):
        rates.note({"a": 1000 if second > 50 else 0, "b": 2 * second}, float(second))
    assert rates.per_second() == {"a": 0.0, "b": 2.0}


def test_a_replay_is_no_negative_rate() -> None:
    rates = Rates()
    rates.note({"a": 10}, 0.0)
    rates.note({"a": 5, "new": 3}, 1.0)
    assert rates.per_second() == {"a": 0.0, "new": 3.0}

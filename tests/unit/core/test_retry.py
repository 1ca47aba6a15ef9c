from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ewms.core.retry import RetryPolicy


def test_there_is_no_delay_unless_asked_for() -> None:
    assert RetryPolicy().delay_after(1) == 0.0
    assert RetryPolicy(max_failures=100).delay_after(99) == 0.0


def test_delays_grow_by_the_factor_up_to_the_longest() -> None:
    policy = RetryPolicy(delay=2, backoff=3, max_delay=50)
    assert [policy.delay_after(failures) for failures in (1, 2, 3, 4, 5)] == [2, 6, 18, 50, 50]


@given(
    delay=st.floats(0, 1e6),
    backoff=st.floats(1, 1e4),
    max_delay=st.floats(0, 1e6),
    failures=st.integers(1, 10**6),
)
def test_delays_stay_within_bounds(delay: float, backoff: float, max_delay: float, failures: int) -> None:
    policy = RetryPolicy(delay=delay, backoff=backoff, max_delay=max_delay)
    assert 0 <= policy.delay_after(failures) <= policy.delay_after(failures + 1) <= max_delay


@pytest.mark.parametrize("wrong", [{"max_failures": 0}, {"max_vanishes": 0}, {"delay": -1}, {"backoff": 0.5}, {"tries": 3}])
def test_senseless_policies_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        RetryPolicy.model_validate(wrong)

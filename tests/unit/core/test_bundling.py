from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.core.bundling import (
    MAX_AHEAD,
    MAX_EVENTS,
    SHORT_SECONDS,
    TARGET_SECONDS,
    RunTime,
    bundle_size,
    messages_ahead,
)

seconds = st.floats(0, 1e6)


@given(mean=st.none() | seconds, ready=st.integers(0, 10**7), slots=st.integers(0, 10**5))
def test_automatic_bundles_stay_within_bounds(mean: float | None, ready: int, slots: int) -> None:
    size = bundle_size(RunTime(mean=mean), ready, slots)
    assert 1 <= size <= MAX_EVENTS
    if mean is None:
        assert size == 1
    elif size > 1:
        assert size * mean <= TARGET_SECONDS * 1.001
        assert (size - 1) * 2 * max(1, slots) < ready, "every slot must get its share"


@given(mean=st.none() | seconds, ready=st.integers(0, 10**7), slots=st.integers(0, 10**5), limit=st.integers(1, 10**6))
def test_the_task_s_own_limit_is_kept(mean: float | None, ready: int, slots: int, limit: int) -> None:
    assert bundle_size(RunTime(mean=mean), ready, slots, limit) == limit


@pytest.mark.parametrize(("mean", "expected"), [(0.0, 2048), (1e-5, 2048), (1e-3, 100), (0.03, 3), (0.1, 1), (60.0, 1)])
def test_a_bundle_is_a_tenth_of_a_second_of_work(mean: float, expected: int) -> None:
    assert bundle_size(RunTime(mean=mean), ready=10**6, slots=2) == expected


@given(mean=st.none() | seconds, events=st.integers(1, 2048), out=st.integers(0, 10**4), slots=st.integers(0, 10**4))
def test_lines_are_bounded_by_work_and_by_what_others_would_idle_for(
    mean: float | None, events: int, out: int, slots: int
) -> None:
    ahead = messages_ahead(RunTime(mean=mean), events, out, slots)
    assert 0 <= ahead <= MAX_AHEAD
    if mean is None or mean * events > SHORT_SECONDS:
        assert ahead == 0
    else:
        assert ahead * mean * events <= TARGET_SECONDS * 1.001
        assert ahead * 2 * slots <= out


def test_little_work_is_shared_by_all_slots() -> None:
    assert bundle_size(RunTime(mean=0.0), ready=100, slots=10) == 5
    assert bundle_size(RunTime(mean=0.0), ready=3, slots=10) == 1


@given(st.lists(st.tuples(seconds, st.integers(1, 1000)), min_size=1, max_size=20))
def test_the_mean_lies_between_what_was_measured(reports: list[tuple[float, int]]) -> None:
    run_time = RunTime()
    for busy, events in reports:
        run_time.observe(busy, events)
    each = [busy / events for busy, events in reports]
    assert run_time.mean is not None
    assert min(each) * 0.999 <= run_time.mean <= max(each) * 1.001
    assert run_time.longest == max(each)
    assert run_time.measured == sum(events for _, events in reports)


def test_reports_without_work_teach_nothing() -> None:
    run_time = RunTime()
    run_time.observe(5.0, 0)
    assert run_time == RunTime()
    run_time.observe(-1.0, 2)
    assert run_time.mean == 0.0

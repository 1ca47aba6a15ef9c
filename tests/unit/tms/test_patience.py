"""How long a taskforce is left alone after a failure."""

from __future__ import annotations

import pytest

from ewms.core.service.phases import Phase
from ewms.tms.patience import FIRST_PAUSE, LONGEST_PAUSE, Patience, pause_after

STARTER = {"TF": Phase.PENDING_STARTER}


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, FIRST_PAUSE), (2, 2 * FIRST_PAUSE), (3, 4 * FIRST_PAUSE), (20, LONGEST_PAUSE)]
)
def test_pauses_double_up_to_a_bound(failures: int, seconds: float) -> None:
    assert pause_after(failures) == seconds
    assert pause_after(1_000_000) == LONGEST_PAUSE


def test_a_rest_ends_in_time() -> None:
    patience = Patience()
    patience.failed("TF", Phase.PENDING_STARTER, now=100.0)
    assert patience.resting(STARTER, 100.1) == {"TF"}
    assert patience.next_end(100.1) == pytest.approx(0.1)
    assert patience.resting(STARTER, 100.3) == set()
    assert patience.next_end(100.3) is None


def test_a_rest_ends_with_the_phase() -> None:
    patience = Patience()
    for _ in range(20):
        patience.failed("TF", Phase.PENDING_STARTER, now=100.0)
    assert patience.resting(STARTER, 101.0) == {"TF"}
    assert patience.resting({"TF": Phase.PENDING_STOPPER}, 101.0) == set()
    assert patience.failed("TF", Phase.PENDING_STOPPER, now=101.0) == 1


def test_success_is_forgiveness() -> None:
    patience = Patience()
    patience.failed("TF", Phase.PENDING_STARTER, now=100.0)
    patience.succeeded("TF")
    assert patience.failed("TF", Phase.PENDING_STARTER, now=100.0) == 1


def test_orphans_rest_too_and_what_is_gone_is_forgotten() -> None:
    patience = Patience()
    patience.failed("orphan", None, now=100.0)
    assert patience.resting({}, 100.1) == {"orphan"}
    patience.keep({"other"})
    assert patience.resting({}, 100.1) == set()

"""What a TMS does next, case by case; `tests/property/test_reconcile.py` tries what comes of it in a hostile world."""

from __future__ import annotations

from typing import Any

import pytest

from ewms.core.service.phases import Phase
from ewms.tms.backend import Batch
from ewms.tms.reconcile import (
    DUPLICATE,
    MAX_FAILURES,
    ORPHAN,
    STOPPED,
    Action,
    Adopt,
    Confirm,
    Refresh,
    Remove,
    Resize,
    Stop,
    Submit,
    reconcile,
)
from tests.support.taskforces import order

ONE = Batch("TF", 1, 2)
TWO = Batch("TF", 2, 2)
STARTER, SUBMITTED, STOPPER = Phase.PENDING_STARTER, Phase.CONDOR_SUBMIT, Phase.PENDING_STOPPER
SUBMIT = Submit(order("TF", 2))


@pytest.mark.parametrize(
    ("fields", "batches", "action"),
    [
        ({}, [], SUBMIT),
        ({}, [ONE], Adopt(ONE)),
        ({}, [TWO, ONE], Remove(TWO, DUPLICATE)),
        ({"workers": 0}, [], None),
        ({"failures": MAX_FAILURES}, [], Confirm("TF", Phase.CONDOR_COMPLETE)),
        ({"failures": MAX_FAILURES}, [ONE], Adopt(ONE)),
        ({"phase": SUBMITTED, "cluster_id": 1}, [ONE], None),
        ({"phase": SUBMITTED, "cluster_id": 1, "workers": 5}, [ONE], Resize(ONE, 5)),
        ({"phase": SUBMITTED, "cluster_id": 1, "workers": 0}, [ONE], Resize(ONE, 0)),
        ({"phase": SUBMITTED, "cluster_id": 1}, [], Confirm("TF", Phase.CONDOR_COMPLETE)),
        ({"phase": SUBMITTED, "cluster_id": 2}, [ONE, TWO], Remove(ONE, DUPLICATE)),
        ({"phase": SUBMITTED, "cluster_id": 1}, [TWO], Remove(TWO, DUPLICATE)),
        ({"phase": STOPPER, "cluster_id": 1}, [ONE], Stop(ONE)),
        ({"phase": STOPPER}, [ONE], Stop(ONE)),
        ({"phase": STOPPER, "cluster_id": 1}, [], Confirm("TF", Phase.CONDOR_RM)),
        ({"phase": STOPPER}, [], Confirm("TF", Phase.CONDOR_COMPLETE)),
        ({"phase": Phase.CONDOR_RM, "cluster_id": 1}, [], Confirm("TF", Phase.CONDOR_COMPLETE)),
        ({"phase": Phase.CONDOR_RM, "cluster_id": 1}, [ONE], Remove(ONE, STOPPED)),
        ({"phase": Phase.PRE_LAUNCH}, [], None),
        ({"phase": Phase.PRE_LAUNCH}, [ONE], None),
    ],
)
def test_one_taskforce(fields: dict[str, Any], batches: list[Batch], action: Action | None) -> None:
    wanted = order("TF", **({"workers": 2} | fields))
    assert reconcile({"TF": wanted}, batches) == ([] if action is None else [action])


def test_what_nobody_wants_is_removed() -> None:
    assert reconcile({}, [ONE]) == [Remove(ONE, ORPHAN)]


def test_busy_taskforces_are_left_alone() -> None:
    assert reconcile({"TF": order("TF", 2)}, [], busy={"TF"}) == []
    assert reconcile({}, [ONE], busy={"TF"}) == []


def test_what_is_out_of_date_is_renewed_only_where_nothing_else_is_to_be_done() -> None:
    submitted = order("TF", 2, phase=SUBMITTED, cluster_id=1).model_copy(update={"excluded_sites": ("Hades",)})
    assert reconcile({"TF": submitted}, [ONE], stale={"TF"}) == [Refresh(ONE, ("Hades",))]
    assert reconcile({"TF": order("TF", 5, phase=SUBMITTED)}, [ONE], stale={"TF"}) == [Resize(ONE, 5)]


def test_what_frees_slots_comes_first_then_the_urgent_then_the_old() -> None:
    orders = {
        "calm": order("calm", 1, priority=10, timestamp=1.0),
        "young": order("young", 1, priority=100, timestamp=2.0),
        "old": order("old", 1, priority=100, timestamp=1.0),
        "stopped": order("stopped", 1, phase=STOPPER, cluster_id=9),
        "stale": order("stale", 1, phase=SUBMITTED, cluster_id=8, priority=500),
    }
    batches = [Batch("stopped", 9, 1), Batch("stale", 8, 1)]
    actions = reconcile(orders, batches, stale={"stale"})
    assert [action.taskforce_uuid for action in actions] == ["stopped", "old", "young", "calm", "stale"]

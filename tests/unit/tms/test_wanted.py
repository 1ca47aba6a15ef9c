"""What a TMS knows of the service's wishes between two plans."""

from __future__ import annotations

from ewms.core.service.phases import Phase
from ewms.core.service.taskforce import Plan
from ewms.tms.wanted import Wanted
from tests.support.taskforces import order


def plan(phase: Phase, revision: int = 1) -> Plan:
    return Plan(revision=revision, orders=(order("TF", phase=phase),))


def phase_of(wanted: Wanted) -> Phase | None:
    found = wanted.orders().get("TF")
    return None if found is None else found.taskforce.phase


def test_before_the_first_plan_nothing_is_known() -> None:
    assert Wanted().revision is None


def test_a_plan_that_was_asked_for_before_a_confirmation_does_not_undo_it() -> None:
    wanted = Wanted()
    wanted.learn(plan(Phase.PENDING_STARTER), wanted.ask())
    asked = wanted.ask()
    wanted.confirm("TF", Phase.CONDOR_SUBMIT)
    assert phase_of(wanted) is Phase.CONDOR_SUBMIT
    wanted.learn(plan(Phase.PENDING_STARTER, 2), asked)
    assert phase_of(wanted) is Phase.CONDOR_SUBMIT


def test_a_plan_that_was_asked_for_later_counts_whatever_it_says() -> None:
    wanted = Wanted()
    wanted.learn(plan(Phase.CONDOR_SUBMIT), wanted.ask())
    wanted.confirm("TF", Phase.CONDOR_RM)
    wanted.learn(plan(Phase.CONDOR_SUBMIT, 2), wanted.ask())
    assert phase_of(wanted) is Phase.CONDOR_SUBMIT  # the service's store was restored from a backup


def test_the_service_may_be_further_than_what_was_confirmed() -> None:
    wanted = Wanted()
    asked = wanted.ask()
    wanted.confirm("TF", Phase.CONDOR_SUBMIT)
    wanted.learn(plan(Phase.PENDING_STOPPER), asked)
    assert phase_of(wanted) is Phase.PENDING_STOPPER


def test_what_is_over_is_wanted_no_more() -> None:
    wanted = Wanted()
    wanted.learn(plan(Phase.CONDOR_RM), wanted.ask())
    wanted.confirm("TF", Phase.CONDOR_COMPLETE)
    assert phase_of(wanted) is None

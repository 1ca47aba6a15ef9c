"""What may be wished of a workflow in any of its states."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.core.errors import Conflict
from ewms.core.service.phases import FINAL, Wish, WorkflowState
from ewms.core.service.wishes import check_unfinished, paused, resumed
from ewms.core.service.workflow import WorkflowDocument
from ewms.core.spec import WorkflowSpec

WORKFLOWS = st.builds(
    lambda state, wish, deactivated: WorkflowDocument(
        workflow_id="WF-1", timestamp=0.0, spec=WorkflowSpec(name="w"), state=state, wish=wish, deactivated=deactivated
    ),
    st.sampled_from(WorkflowState),
    st.sampled_from(Wish),
    st.sampled_from([None, "FINISHED"]),
)


@given(WORKFLOWS)
def test_what_has_ended_stays_so(workflow: WorkflowDocument) -> None:
    if workflow.state in FINAL or workflow.wish is Wish.CANCEL:
        for wish in (paused, resumed, lambda one: check_unfinished(one, "changed")):
            with pytest.raises(Conflict):
                wish(workflow)


@given(WORKFLOWS)
def test_a_wish_that_holds_already_changes_nothing(workflow: WorkflowDocument) -> None:
    for wish in (paused, resumed):
        try:
            once = workflow.model_copy(update=wish(workflow))
        except Conflict:
            continue
        assert wish(once) == {}


@given(WORKFLOWS)
def test_a_pause_does_not_forget_that_input_was_ended(workflow: WorkflowDocument) -> None:
    try:
        once = workflow.model_copy(update=paused(workflow))
        again = once.model_copy(update=resumed(once))
    except Conflict:
        return
    assert again.wish is (Wish.FINISH if workflow.deactivated else Wish.RUN)


def test_one_that_failed_waits_for_a_driver_again() -> None:
    failed = WorkflowDocument(
        workflow_id="WF-1", timestamp=0.0, spec=WorkflowSpec(name="w"), state=WorkflowState.FAILED, reason="bad"
    )
    assert resumed(failed) == {"wish": Wish.RUN, "state": WorkflowState.PENDING, "reason": ""}

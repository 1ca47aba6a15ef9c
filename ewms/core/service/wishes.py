"""What users may wish of a workflow in which state, and what that changes in its document. Pure."""

from __future__ import annotations

from typing import Any

from ewms.core.errors import Conflict
from ewms.core.service.phases import FINAL, Wish, WorkflowState
from ewms.core.service.workflow import WorkflowDocument


def paused(workflow: WorkflowDocument) -> dict[str, Any]:
    """The fields that change when a workflow is to send nothing more; `Conflict` for one that does not run."""
    if workflow.state in FINAL or workflow.state is WorkflowState.FAILED or workflow.wish is Wish.CANCEL:
        raise Conflict(f"workflow {workflow.workflow_id} is {_state(workflow)}, so there is nothing to pause")
    return {} if workflow.wish is Wish.PAUSE else {"wish": Wish.PAUSE}


def resumed(workflow: WorkflowDocument) -> dict[str, Any]:
    """The fields that change when a workflow is to go on; `Conflict` for one that has ended.

    One that failed waits for a driver host again. One whose input was ended before takes none now.
    """
    if workflow.state in FINAL or workflow.wish is Wish.CANCEL:
        raise Conflict(f"workflow {workflow.workflow_id} is {_state(workflow)}, so it cannot go on; submit it anew")
    wish = Wish.RUN if workflow.deactivated is None else Wish.FINISH
    fields: dict[str, Any] = {} if workflow.wish is wish else {"wish": wish}
    if workflow.state is WorkflowState.FAILED:
        fields |= {"state": WorkflowState.PENDING, "reason": "", "wish": wish}
    return fields


def check_unfinished(workflow: WorkflowDocument, what: str) -> None:
    """`Conflict` for a workflow that has ended, or is about to."""
    if workflow.state in FINAL or workflow.wish is Wish.CANCEL:
        raise Conflict(f"workflow {workflow.workflow_id} is {_state(workflow)}, so it cannot be {what}")


def _state(workflow: WorkflowDocument) -> str:
    is_going = workflow.wish is Wish.CANCEL and workflow.state not in FINAL
    return "being cancelled" if is_going else workflow.state.value

"""In which state a scan is: SkyDriver's codes, and in plain words. Pure, derived anew at each look."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from ewms.services import Wish, WorkflowDocument, WorkflowState

FINAL_RESULT = "SCAN_HAS_FINAL_RESULT"
_BEGUN = frozenset({"PARTIAL_RESULT_GENERATED", "WAITING_ON_FIRST_PIXEL_RECO"})


class Condition(StrEnum):
    """How a scan stands, beyond SkyDriver's codes."""

    WAITING = "waiting"
    """Nobody works on it yet."""
    RUNNING = "running"
    """It is being scanned."""
    PAUSED = "paused"
    """By its owner's wish."""
    COMPLETE = "complete"
    """The final result is there."""
    FAILED = "failed"
    """It cannot go on, for a reason; it can be resumed or scanned again."""
    CANCELLED = "cancelled"
    """It was given up."""


_CONDITIONS = {
    WorkflowState.PENDING: Condition.WAITING,
    WorkflowState.RUNNING: Condition.RUNNING,
    WorkflowState.PAUSED: Condition.PAUSED,
    WorkflowState.COMPLETE: Condition.FAILED,  # it would have a final result
    WorkflowState.FAILED: Condition.FAILED,
    WorkflowState.CANCELLED: Condition.CANCELLED,
}


class Standing(NamedTuple):
    """How a scan stands."""

    code: str
    """SkyDriver's `scan_state`."""
    condition: Condition
    """In plain words."""
    reason: str = ""
    """Why it failed or waits, in one line."""
    deactivated: str | None = None
    """EWMS's word for why its workflow ended."""


def standing(
    workflow: WorkflowDocument | None,
    *,
    has_final: bool,
    has_partial: bool,
    is_deleted: bool = False,
    is_elsewhere: bool = False,
    reason: str = "",
) -> Standing:
    """How a scan stands.

    Parameters
    ----------
    workflow
        Its workflow; None while it has none.
    has_final, has_partial
        Whether there is such a result.
    is_elsewhere
        Whether another service has its workflow.
    reason
        Why there is no workflow yet.
    """
    deactivated = None if workflow is None else _deactivated(workflow)
    if has_final:
        return Standing(FINAL_RESULT, Condition.COMPLETE, "", deactivated)
    suffix = _suffix(workflow, has_partial, is_elsewhere)
    prefix = "IN_PROGRESS" if suffix in _BEGUN else "PENDING"
    if workflow is None:
        if is_deleted:
            return Standing(f"ABORTED__{suffix}", Condition.CANCELLED, reason)
        return Standing(f"{prefix}__{suffix}", Condition.WAITING, reason)
    if deactivated is not None:
        condition = Condition.CANCELLED if _is_over(workflow) else _CONDITIONS[workflow.state]
        return Standing(f"{deactivated}__{suffix}", condition, workflow.reason, deactivated)
    if workflow.state is WorkflowState.COMPLETE:
        return Standing(f"FINISHED__{suffix}", Condition.FAILED, "it ended without a result")
    if workflow.state is WorkflowState.FAILED:
        prefix = "STOPPED"
    return Standing(f"{prefix}__{suffix}", _CONDITIONS[workflow.state], workflow.reason)


def _suffix(workflow: WorkflowDocument | None, has_partial: bool, is_elsewhere: bool) -> str:
    if has_partial:
        return "PARTIAL_RESULT_GENERATED"
    if workflow is None:
        return "WAITING_ON_SCANNER_SERVER_STARTUP" if is_elsewhere else "PRESTARTUP"
    is_begun = workflow.active or bool(workflow.counts)
    return "WAITING_ON_FIRST_PIXEL_RECO" if is_begun else "WAITING_ON_SCANNER_SERVER_STARTUP"


def _deactivated(workflow: WorkflowDocument) -> str | None:
    return "ABORTED" if workflow.state is WorkflowState.CANCELLED else workflow.deactivated


def _is_over(workflow: WorkflowDocument) -> bool:
    """One that takes no more input is still being worked off; one that was given up is not."""
    return workflow.deactivated == "ABORTED" or workflow.wish is Wish.CANCEL or workflow.state is WorkflowState.CANCELLED

"""Every code of SkyDriver's states, over every state of a workflow, and what stands beside it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from ewms.core.spec import TaskSpec, WorkflowSpec
from ewms.services import Wish, WorkflowDocument, WorkflowState
from skymap_scanner.skydriver.states import Condition, standing

SUFFIXES = ("PARTIAL_RESULT_GENERATED", "WAITING_ON_FIRST_PIXEL_RECO", "WAITING_ON_SCANNER_SERVER_STARTUP", "PRESTARTUP")
CODES = {
    "SCAN_HAS_FINAL_RESULT",
    "IN_PROGRESS__PARTIAL_RESULT_GENERATED",
    "IN_PROGRESS__WAITING_ON_FIRST_PIXEL_RECO",
    "PENDING__WAITING_ON_SCANNER_SERVER_STARTUP",
    "PENDING__PRESTARTUP",
    *(f"{prefix}__{suffix}" for prefix in ("ABORTED", "FINISHED", "STOPPED") for suffix in SUFFIXES),
}
"""SkyDriver's; see `reference/features.md`, 7.2."""


def workflow(**fields: Any) -> WorkflowDocument:
    spec = WorkflowSpec(name="scan", tasks=(TaskSpec(name="reconstruct", python="a:b", input="pixels"),))
    return WorkflowDocument.model_validate({"workflow_id": "WF-1", "timestamp": 1.0, "spec": spec, **fields})


S = WorkflowState
ABORTED: dict[str, Any] = {"deactivated": "ABORTED", "wish": Wish.CANCEL}
FINISHED: dict[str, Any] = {"deactivated": "FINISHED", "wish": Wish.FINISH}
# workflow, has a partial result, code, condition
TABLE: list[tuple[dict[str, Any] | None, bool, str, Condition]] = [
    (None, False, "PENDING__PRESTARTUP", Condition.WAITING),
    ({"state": S.PENDING}, False, "PENDING__WAITING_ON_SCANNER_SERVER_STARTUP", Condition.WAITING),
    ({"state": S.RUNNING}, False, "PENDING__WAITING_ON_SCANNER_SERVER_STARTUP", Condition.RUNNING),
    ({"state": S.RUNNING, "active": True}, False, "IN_PROGRESS__WAITING_ON_FIRST_PIXEL_RECO", Condition.RUNNING),
    ({"state": S.RUNNING, "active": True}, True, "IN_PROGRESS__PARTIAL_RESULT_GENERATED", Condition.RUNNING),
    # Its driver host died, and another one is to take it up: it goes on from where it is.
    ({"state": S.PENDING, "active": True}, True, "IN_PROGRESS__PARTIAL_RESULT_GENERATED", Condition.WAITING),
    ({"state": S.PAUSED, "active": True}, False, "IN_PROGRESS__WAITING_ON_FIRST_PIXEL_RECO", Condition.PAUSED),
    ({"state": S.PAUSED, "active": True}, True, "IN_PROGRESS__PARTIAL_RESULT_GENERATED", Condition.PAUSED),
    ({"state": S.FAILED}, False, "STOPPED__WAITING_ON_SCANNER_SERVER_STARTUP", Condition.FAILED),
    ({"state": S.FAILED, "active": True}, False, "STOPPED__WAITING_ON_FIRST_PIXEL_RECO", Condition.FAILED),
    ({"state": S.FAILED, "active": True}, True, "STOPPED__PARTIAL_RESULT_GENERATED", Condition.FAILED),
    ({"state": S.PENDING, **ABORTED}, False, "ABORTED__WAITING_ON_SCANNER_SERVER_STARTUP", Condition.CANCELLED),
    ({"state": S.RUNNING, "active": True, **ABORTED}, False, "ABORTED__WAITING_ON_FIRST_PIXEL_RECO", Condition.CANCELLED),
    ({"state": S.RUNNING, "active": True, **ABORTED}, True, "ABORTED__PARTIAL_RESULT_GENERATED", Condition.CANCELLED),
    ({"state": S.CANCELLED, "counts": {"sent": 1}}, False, "ABORTED__WAITING_ON_FIRST_PIXEL_RECO", Condition.CANCELLED),
    ({"state": S.CANCELLED, **ABORTED}, True, "ABORTED__PARTIAL_RESULT_GENERATED", Condition.CANCELLED),
    ({"state": S.PENDING, **FINISHED}, False, "FINISHED__WAITING_ON_SCANNER_SERVER_STARTUP", Condition.WAITING),
    ({"state": S.RUNNING, "active": True, **FINISHED}, False, "FINISHED__WAITING_ON_FIRST_PIXEL_RECO", Condition.RUNNING),
    ({"state": S.RUNNING, "active": True, **FINISHED}, True, "FINISHED__PARTIAL_RESULT_GENERATED", Condition.RUNNING),
    ({"state": S.COMPLETE, "active": True}, True, "FINISHED__PARTIAL_RESULT_GENERATED", Condition.FAILED),
    ({"state": S.COMPLETE, **FINISHED}, False, "FINISHED__WAITING_ON_SCANNER_SERVER_STARTUP", Condition.FAILED),
]


@pytest.mark.parametrize(("fields", "has_partial", "code", "condition"), TABLE)
def test_the_table(fields: dict[str, Any] | None, has_partial: bool, code: str, condition: Condition) -> None:
    found = standing(None if fields is None else workflow(**fields), has_final=False, has_partial=has_partial)
    assert (found.code, found.condition) == (code, condition)


def test_a_deleted_scan_without_a_workflow_is_aborted() -> None:
    found = standing(None, has_final=False, has_partial=False, is_deleted=True)
    assert (found.code, found.condition) == ("ABORTED__PRESTARTUP", Condition.CANCELLED)


def test_a_workflow_of_another_service_is_known_by_what_it_sends() -> None:
    found = standing(None, has_final=False, has_partial=False, is_elsewhere=True)
    assert found.code == "PENDING__WAITING_ON_SCANNER_SERVER_STARTUP"
    assert (
        standing(None, has_final=False, has_partial=True, is_elsewhere=True).code == "IN_PROGRESS__PARTIAL_RESULT_GENERATED"
    )


def everything() -> list[WorkflowDocument | None]:
    """Workflows in every combination of what a state depends on."""
    deactivations: list[dict[str, Any]] = [{}, ABORTED, FINISHED]
    combined = itertools.product(S, (False, True), ({}, {"sent": 1}), deactivations)
    return [None, *(workflow(state=state, active=active, counts=counts, **more) for state, active, counts, more in combined)]


@pytest.mark.parametrize("has_partial", [False, True])
def test_every_combination_has_a_code_that_clients_know(has_partial: bool) -> None:
    seen = set()
    for document, is_deleted in itertools.product(everything(), (False, True)):
        found = standing(document, has_final=False, has_partial=has_partial, is_deleted=is_deleted)
        assert found.code in CODES
        assert (found.deactivated == "ABORTED") is (found.code.startswith("ABORTED") and document is not None)
        seen.add(found.code)
        done = standing(document, has_final=True, has_partial=has_partial, is_deleted=is_deleted)
        assert (done.code, done.condition) == ("SCAN_HAS_FINAL_RESULT", Condition.COMPLETE)
    suffixes = {code.partition("__")[2] for code in seen}
    assert suffixes == ({"PARTIAL_RESULT_GENERATED"} if has_partial else set(SUFFIXES[1:]))


def test_the_table_has_every_code_that_there_can_be() -> None:
    impossible = {"FINISHED__PRESTARTUP", "STOPPED__PRESTARTUP"}  # what has no workflow has none that ended
    covered = {code for _, _, code, _ in TABLE} | {"SCAN_HAS_FINAL_RESULT", "ABORTED__PRESTARTUP"}
    assert covered == CODES - impossible


def test_a_failure_says_why() -> None:
    """SkyDriver has no state for it: a crashed server keeps its code until somebody deletes the scan."""
    found = standing(workflow(state=S.FAILED, reason="the reconstruction raised"), has_final=False, has_partial=False)
    assert found.reason == "the reconstruction raised"
    waiting = standing(None, has_final=False, has_partial=False, reason="the store was away")
    assert waiting.reason == "the store was away"

from __future__ import annotations

import pytest

from ewms.core.errors import NotFound
from ewms.core.service.phases import ALLOWED, Phase
from ewms.core.service.taskforce import TaskforceDocument, WorkerSpec
from ewms.core.service.transitions import (
    Activated,
    Assigned,
    Completed,
    Event,
    RemovalFailed,
    Removed,
    Stopped,
    SubmitFailed,
    Submitted,
)

SUBMITTED = Submitted(cluster_id=7, workers=3, submit_dict={"log": "x"}, event_log="x")
EVENTS: list[Event] = [
    Activated({"code/a.py": "00"}),
    Assigned(2),
    Stopped("User", "no more"),
    SUBMITTED,
    SubmitFailed("refused"),
    Removed(),
    RemovalFailed("busy"),
    Completed(5.0),
]
COURSE = {
    Phase.PRE_MQ_ACTIVATION: {"Activated": Phase.PRE_LAUNCH, "Stopped": Phase.CONDOR_COMPLETE},
    Phase.PRE_LAUNCH: {"Assigned": Phase.PENDING_STARTER, "Stopped": Phase.CONDOR_COMPLETE},
    Phase.PENDING_STARTER: {
        "Submitted": Phase.CONDOR_SUBMIT,
        "Stopped": Phase.CONDOR_COMPLETE,
        "Removed": Phase.CONDOR_RM,
    },
    Phase.CONDOR_SUBMIT: {"Stopped": Phase.PENDING_STOPPER, "Removed": Phase.CONDOR_RM},
    Phase.PENDING_STOPPER: {"Removed": Phase.CONDOR_RM},
    Phase.CONDOR_RM: {},
    Phase.CONDOR_COMPLETE: {},
}


def taskforce(phase: Phase, **fields: object) -> TaskforceDocument:
    return TaskforceDocument.model_validate({
        "taskforce_uuid": "TF-1", "task_id": "TK-1", "workflow_id": "WF-1", "timestamp": 1.0, "priority": 50,
        "cluster": "c", "n_workers": None, "worker": WorkerSpec(), "phase": phase, **fields,
    })  # fmt: skip


def can_happen(event: Event, phase: Phase) -> bool:
    """Whether it is taken or acknowledged; otherwise it is EWMS's 404."""
    match event:
        case Assigned():
            return phase in {Phase.PRE_LAUNCH, Phase.PENDING_STARTER, Phase.CONDOR_SUBMIT}
        case Submitted() | SubmitFailed():
            return phase is Phase.PENDING_STARTER
        case Removed():
            return phase not in {Phase.PRE_MQ_ACTIVATION, Phase.PRE_LAUNCH}
        case RemovalFailed():
            return phase is Phase.PENDING_STOPPER
    return True


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
@pytest.mark.parametrize("phase", Phase)
def test_every_event_in_every_phase(phase: Phase, event: Event) -> None:
    before = taskforce(phase)
    goal = COURSE[phase].get(type(event).__name__)
    if isinstance(event, Completed) and phase is not Phase.CONDOR_COMPLETE:
        goal = Phase.CONDOR_COMPLETE
    if not can_happen(event, phase):
        with pytest.raises(NotFound, match=f"is in phase {phase}"):
            event.apply(before, 9.0)
        return
    change = event.apply(before, 9.0)
    assert change.taskforce.phase is (goal or phase)
    if goal is not None:
        assert goal in ALLOWED[phase]
        assert change.entries[-1].target_phase is goal
        assert change.entries[-1].timestamp == 9.0


def test_a_submission_is_kept_and_clears_what_went_wrong() -> None:
    change = SUBMITTED.apply(taskforce(Phase.PENDING_STARTER, failures=2, reason="refused", workers=3), 9.0)
    after = change.taskforce
    assert (after.cluster_id, after.submitted_workers, after.job_event_log_fpath) == (7, 3, "x")
    assert (after.failures, after.reason, after.workers) == (0, "", 3)


def test_a_submission_as_another_cluster_is_refused() -> None:
    with pytest.raises(NotFound):
        SUBMITTED.apply(taskforce(Phase.CONDOR_SUBMIT, cluster_id=8), 9.0)


def test_the_third_refusal_ends_it_with_the_reason() -> None:
    one = taskforce(Phase.PENDING_STARTER, workers=2)
    for count in (1, 2):
        change = SubmitFailed("no disk").apply(one, 9.0)
        one = change.taskforce
        assert (one.phase, one.failures, one.reason) == (Phase.PENDING_STARTER, count, "no disk")
    change = SubmitFailed("no disk").apply(one, 9.0)
    assert [(entry.target_phase, entry.was_successful) for entry in change.entries] == [
        (Phase.CONDOR_SUBMIT, False),
        (Phase.CONDOR_COMPLETE, True),
    ]
    assert change.taskforce.reason == "given up after 3 refused submissions: no disk"
    assert change.taskforce.workers == 0


def test_the_same_refusal_to_remove_is_logged_once() -> None:
    one = taskforce(Phase.PENDING_STOPPER, cluster_id=7, reason="stopped")
    entries = 0
    for error in ("busy", "busy", "busy", "away", "away"):
        change = RemovalFailed(error).apply(one, 9.0)
        one, entries = change.taskforce, entries + len(change.entries)
    assert (entries, one.failures) == (2, 5)


def test_an_application_may_have_added_files_by_the_time_of_activation() -> None:
    change = Activated({"context/model.npz": "ab"}).apply(taskforce(Phase.PRE_MQ_ACTIVATION), 9.0)
    assert change.taskforce.pilot.files == {"context/model.npz": "ab"}


def test_the_time_of_the_backend_is_kept_beside_our_own() -> None:
    (entry,) = Completed(5.0).apply(taskforce(Phase.CONDOR_RM, reason="stopped"), 9.0).entries
    assert (entry.timestamp, entry.source_event_time, entry.context) == (9.0, 5.0, "stopped")

"""From events to statuses."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.tms.backends._htcondor_course import Course, Kind
from ewms.tms.backends._htcondor_records import Record

SITE = {"GLIDEIN_Site": "SITE-A"}


def take(course: Course, *events: tuple[Kind, dict[str, Any]], proc: int | None = 0) -> Course:
    """Give a course some events of one job."""
    for kind, values in events:
        course.take(Record(kind=kind, cluster=7, proc=proc, time=5.0, values=values))
    return course


RUNS: tuple[tuple[Kind, dict[str, Any]], ...] = ((Kind.SUBMIT, {}), (Kind.EXECUTE, SITE))


@pytest.mark.parametrize(
    ("events", "status", "losses", "successes"),
    [
        ((), {"RUNNING": {"null": 1}}, 0, 0),
        (((Kind.GENERIC, {"Info": "HTChirpEWMSPilotStatus: Tasking"}),), {"RUNNING": {"Tasking": 1}}, 0, 0),
        (((Kind.GENERIC, {"Info": "somebody else's words"}),), {"RUNNING": {"null": 1}}, 0, 0),
        (((Kind.TERMINATED, {"ReturnValue": 0}),), {"COMPLETED": {"null": 1}}, 0, 1),
        (((Kind.TERMINATED, {"ReturnValue": 3}),), {"COMPLETED": {"null": 1}}, 1, 0),
        (((Kind.TERMINATED, {"TerminatedBySignal": 9}),), {"COMPLETED": {"null": 1}}, 1, 0),
        (((Kind.EVICTED, {}),), {"IDLE": {"null": 1}}, 0, 0),
        (((Kind.EVICTED, {}), (Kind.EXECUTE, SITE)), {"RUNNING": {"null": 1}}, 1, 0),
        (((Kind.RECONNECT_FAILED, {}), (Kind.EVICTED, {}), (Kind.EXECUTE, SITE)), {"RUNNING": {"null": 1}}, 1, 0),
        (((Kind.EXECUTE, SITE),), {"RUNNING": {"null": 1}}, 1, 0),  # a shadow was killed: nobody told of the eviction
        (((Kind.EVICTED, {}), (Kind.ABORTED, {})), {"REMOVED": {"null": 1}}, 0, 0),
        (((Kind.SUSPENDED, {}),), {"SUSPENDED": {"null": 1}}, 0, 0),
        (((Kind.SUSPENDED, {}), (Kind.UNSUSPENDED, {})), {"RUNNING": {"null": 1}}, 0, 0),
        (
            ((Kind.EVICTED, {}), (Kind.HELD, {"HoldReasonCode": 1, "HoldReason": "wait (by user ada)"})),
            {"HELD: put on hold by a person: wait (by user ada)": {"null": 1}},
            0,
            0,
        ),
        (
            ((Kind.HELD, {"HoldReasonCode": 6, "HoldReasonSubCode": 2, "HoldReason": "Error from slot1_7: …"}),),
            {"HELD: the pilot could not be started: No such file or directory": {"null": 1}},
            1,
            0,
        ),
        (((Kind.HELD, {"HoldReasonCode": 6}), (Kind.RELEASED, {})), {"IDLE": {"null": 1}}, 1, 0),
    ],
)
def test_statuses(
    events: tuple[tuple[Kind, dict[str, Any]], ...], status: dict[str, dict[str, int]], losses: int, successes: int
) -> None:
    standing = take(Course(taskforce_uuid="TF"), *RUNS, *events).standing()
    assert standing.compound_statuses == status
    assert standing.site_losses.get("SITE-A", 0) == losses
    assert standing.site_successes.get("SITE-A", 0) == successes


def test_what_a_pilot_says_explains_more_than_its_exit_code() -> None:
    course = Course(taskforce_uuid="TF")
    held = (Kind.HELD, {"HoldReasonCode": 3, "HoldReason": "the pilot ended with exit code 4"})
    take(course, *RUNS, (Kind.GENERIC, {"Info": "HTChirpEWMSPilotError: no module 'x'"}), held)
    take(course, *RUNS, held, proc=1)
    take(course, *RUNS, held, (Kind.ABORTED, {}), proc=2)
    assert course.standing().top_task_errors == {"no module 'x'": 1, "the pilot ended with exit code 4": 2}


def test_events_that_do_not_matter_change_nothing() -> None:
    course = take(Course(taskforce_uuid="TF"), *RUNS, (Kind.TERMINATED, {"ReturnValue": 0}))
    before = course.standing()
    for kind in (6, 28, 40, 99):
        course.take(Record(kind=kind, cluster=7, proc=0, time=5.0, values={}))
    assert course.standing() == msgspec.structs.replace(before, site_successes={})


def test_the_end_of_the_cluster_ends_every_worker() -> None:
    course = take(Course(taskforce_uuid="TF"), *RUNS)
    take(course, (Kind.CLUSTER_REMOVE, {}), proc=None)
    assert course.standing().ended_at == 5.0
    assert not course.workers


EVENTS = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(Kind), st.integers(0, 6)), max_size=60)


@given(EVENTS, st.sets(st.integers(0, 60)))
def test_a_restart_between_any_two_events_changes_nothing(events: list[tuple[int, Kind, int]], restarts: set[int]) -> None:
    steady, restarted = Course(taskforce_uuid="TF"), Course(taskforce_uuid="TF")
    losses: Counter[str] = Counter()
    told: Counter[str] = Counter()
    for number, (proc, kind, code) in enumerate(events):
        values: dict[str, Any] = SITE | {
            "HoldReasonCode": code,
            "ReturnValue": code % 2,
            "Info": f"HTChirpEWMSPilotStatus: {code}",
        }
        for course in (steady, restarted):
            course.take(Record(kind=kind, cluster=7, proc=None if kind > 30 else proc, time=1.0, values=values))
        if number in restarts:
            told.update(restarted.standing().site_losses)
            restarted = msgspec.json.decode(msgspec.json.encode(restarted), type=Course)
    last, other = steady.standing(), restarted.standing()
    losses.update(last.site_losses)
    told.update(other.site_losses)
    assert (last.compound_statuses, last.top_task_errors) == (other.compound_statuses, other.top_task_errors)
    assert losses == told


@given(EVENTS)
def test_every_worker_is_in_one_status(events: list[tuple[int, Kind, int]]) -> None:
    course = Course(taskforce_uuid="TF")
    ends = 0
    for proc, kind, code in events:
        if kind > 30:
            continue
        take(course, (kind, {"HoldReasonCode": code, "ReturnValue": code}), proc=proc)
        ends += kind in {Kind.TERMINATED, Kind.ABORTED}
    counted = sum(sum(pilots.values()) for pilots in course.standing().compound_statuses.values())
    assert counted == len(course.workers) + ends

"""The words for workers."""

from __future__ import annotations

from ewms.tms.statuses import JobStatus, PilotStatus, held, tally, top_errors


def test_workers_are_counted_by_job_and_pilot() -> None:
    workers = [
        (JobStatus.RUNNING, PilotStatus.STARTED),
        (JobStatus.RUNNING, "Tasking"),
        (JobStatus.RUNNING, "Tasking"),
        (held("no room"), PilotStatus.UNKNOWN),
    ]
    assert tally(workers) == {"HELD: no room": {"null": 1}, "RUNNING": {"Started": 1, "Tasking": 2}}
    assert tally([]) == {}


def test_ten_errors_the_most_frequent_first() -> None:
    errors = {f"error {number}": number for number in range(20)} | {"a": 19}
    top = top_errors(errors)
    assert list(top)[:3] == ["a", "error 19", "error 18"]
    assert len(top) == 10

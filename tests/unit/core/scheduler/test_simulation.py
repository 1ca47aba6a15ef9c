"""Days of a pool in simulated time."""

from __future__ import annotations

from ewms.core.scheduler.view import Owner, Policy
from tests.support.pool_simulation import START_SECONDS, STEP, Job, Pool

WEEK = 7 * 24 * 3600.0


def catalogue(slots: int) -> Job:
    """Three weeks of work for the whole pool."""
    return Job(key="catalogue", owner="ada", events=int(3 * WEEK * slots / 40.0), seconds=40.0)


def test_an_urgent_event_has_its_slots_at_the_next_pass() -> None:
    slots = 1000
    busy = catalogue(slots)
    alert = Job(key="alert", owner="grace", events=800, seconds=90.0, submitted=1800.0, priority=100)
    pool = Pool(slots, [busy, alert])
    pool.until(1800.0)
    assert busy.workers == slots
    pool.step()
    assert (alert.workers, busy.workers) == (800, 200)
    pool.until(1800.0 + 3 * 90.0)
    assert alert.running_since is not None
    assert alert.running_since - 1800.0 <= START_SECONDS + STEP
    assert alert.ended is not None
    assert alert.ended - 1800.0 <= 90.0 + START_SECONDS + 2 * STEP
    pool.step()
    assert busy.workers == slots, "what was borrowed is given back at once"


def test_unknown_work_is_measured_by_one_worker_and_then_has_the_pool_within_two_minutes() -> None:
    pool = Pool(500, [busy := catalogue(500)])
    pool.step()
    assert busy.workers == 1
    pool.until(120.0)
    assert busy.workers == 500


def test_a_small_workflow_does_not_wait_for_weeks_of_work_of_another() -> None:
    small = Job(key="small", owner="grace", events=200, seconds=10.0, submitted=3600.0)
    pool = Pool(100, [catalogue(100), small])
    pool.until(3600.0 + 180.0)
    assert small.ended is not None
    assert small.ended - 3600.0 < 120.0


def test_nor_of_its_own_owner() -> None:
    small = Job(key="small", owner="ada", events=200, seconds=10.0, submitted=3600.0)
    pool = Pool(100, [catalogue(100), small])
    pool.until(3600.0 + 180.0)
    assert small.ended is not None


def test_everything_ends_although_more_keeps_coming() -> None:
    """Ten owners with a stream of work for twice the pool; none waits longer than the queue before it takes."""
    jobs = [
        Job(key=f"{number:03}", owner=f"owner-{number % 10}", events=100, seconds=10.0, submitted=number * 25.0)
        for number in range(60)
    ]
    pool = Pool(20, jobs)
    pool.until(60 * 1000.0 / 20 + 600.0)
    assert all(job.ended is not None for job in jobs)


def test_weights_show_in_what_is_done() -> None:
    jobs = [Job(key=name, owner=name, events=10**6, seconds=10.0) for name in ("ada", "grace")]
    pool = Pool(300, jobs, owners=(Owner(name="ada", weight=2.0),))
    pool.until(3600.0)
    assert 1.9 < jobs[0].done / jobs[1].done < 2.1


def test_workers_do_not_flap() -> None:
    """A workflow that pauses for some seconds between its rounds keeps its workers: each starts once."""
    job = Job(key="rounds", owner="ada", events=400, seconds=10.0, open=True)
    pool = Pool(50, [job])
    for _ in range(10):
        while job.backlog:
            pool.step()
        pool.until(pool.now + Policy().grace - 15)
        assert job.workers == 50
        job.events += 400
    assert pool.changes == 50


def test_workers_without_events_are_let_go_after_a_while() -> None:
    job = Job(key="rounds", owner="ada", events=400, seconds=10.0, open=True)
    pool = Pool(50, [job])
    while job.backlog:
        pool.step()
    pool.until(pool.now + Policy().grace + STEP)
    assert job.workers == 0

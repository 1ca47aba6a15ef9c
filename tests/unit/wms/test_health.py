from __future__ import annotations

from ewms.wms.health import PilotHealth


def spoil(health: PilotHealth, pilot: str, events: range, *, saved_by: str = "PL-good") -> None:
    """Events fail on one pilot and succeed on another."""
    for seq in events:
        health.failed(seq, pilot)
        health.accepted(seq, saved_by)


def test_a_pilot_that_spoils_several_events_is_condemned_once() -> None:
    health = PilotHealth()
    spoil(health, "PL-bad", range(2))
    assert health.condemned() == []
    spoil(health, "PL-bad", range(2, 3))
    assert health.condemned() == ["PL-bad"]
    spoil(health, "PL-bad", range(3, 9))
    assert health.condemned() == []


def test_a_pilot_that_mostly_succeeds_is_not() -> None:
    health = PilotHealth()
    health.succeeded("PL-busy", 10)
    spoil(health, "PL-busy", range(9))
    assert health.condemned() == []
    spoil(health, "PL-busy", range(9, 10))
    assert health.condemned() == ["PL-busy"]


def test_an_event_that_fails_everywhere_blames_nobody() -> None:
    health = PilotHealth()
    for seq in range(9):
        health.failed(seq, "PL-1")
        health.buried(seq)
        health.accepted(seq, "PL-2")
    assert health.condemned() == []


def test_an_event_that_fails_and_succeeds_on_one_pilot_blames_nobody() -> None:
    health = PilotHealth()
    spoil(health, "PL-1", range(9), saved_by="PL-1")
    assert health.condemned() == []


def test_an_event_counts_once_however_often_it_failed() -> None:
    health = PilotHealth()
    for _ in range(5):
        health.failed(1, "PL-1")
    health.accepted(1, "PL-2")
    health.accepted(1, "PL-2")
    assert health.condemned() == []

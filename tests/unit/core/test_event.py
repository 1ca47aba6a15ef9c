from __future__ import annotations

from pathlib import Path

import pytest

from ewms.core.application import Application
from ewms.core.event import Event, Outcome


def test_an_event_is_immutable() -> None:
    event = Event(id="1", body=[1])
    with pytest.raises(AttributeError):
        event.body = 2  # type: ignore[misc]


def test_the_value_of_an_outcome() -> None:
    assert Outcome(id="1", task="square").value is None
    assert Outcome(id="1", task="square", values=(4,)).value == 4
    with pytest.raises(ValueError, match=r"event 1 has 2 output values; use .values"):
        _ = Outcome(id="1", task="split", values=(1, 2)).value


def test_an_application_must_send_something() -> None:
    class Forgetful(Application[Event, Outcome, None]):
        pass

    with pytest.raises(NotImplementedError, match=r"Forgetful must define start\(\)"):
        Forgetful().start()


def test_an_application_answers_nothing_unless_it_wants_to() -> None:
    application: Application[Event, Outcome, None] = Application([Path("numbers.jsonl")])
    assert application.inputs == (Path("numbers.jsonl"),)
    assert list(application.advance(Outcome(id="1", task="square"))) == []
    assert application.assemble() is None
    assert application.snapshot() is None
    assert application.summary() == {}


def test_a_parameter_that_an_application_does_not_take_is_named() -> None:
    with pytest.raises(TypeError, match="unknown parameter 'nside'"):
        Application(nside=8)

"""From exceptions to reasons."""

from __future__ import annotations

import pytest

from ewms.core.errors import PayloadError
from ewms.pilot.worker.failures import describe, user_traceback
from ewms.pilot.worker.importing import guarded


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def with_notes() -> ValueError:
    error = ValueError("two\nlines")
    error.add_note("ValueError: a note")
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("text"), "ValueError: text"),
        (ValueError(), "ValueError"),
        (with_notes(), "ValueError: two lines"),
        (SystemExit(3), "SystemExit: 3"),
        (SyntaxError("bad", ("a.py", 3, 1, "x ==", 3, 4)), "SyntaxError: bad"),
        (PayloadError("our own: words"), "our own: words"),
        (ExceptionGroup("several", [ValueError("a")]), "ExceptionGroup: several (1 sub-exception)"),
    ],
)
def test_describe(error: BaseException, reason: str) -> None:
    assert describe(error) == reason


def test_exceptions_that_cannot_be_printed() -> None:
    assert describe(Unprintable()).endswith("Unprintable: <exception str() failed>")


def test_traceback_shows_only_the_users_frames() -> None:
    def users() -> None:
        raise KeyError("x")

    with pytest.raises(Exception, match="raised KeyError: 'x'") as caught:
        guarded("the user's code", users)
    assert caught.value.__cause__ is not None
    text = user_traceback(caught.value.__cause__)
    assert "importing.py" not in text
    assert "in users" in text

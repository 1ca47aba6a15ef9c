"""The one line that tells why."""

from __future__ import annotations

import pytest

from ewms.pilot.reasons import NO_LOGS, one_line, telling_line

TRACEBACK = """\
starting up
Traceback (most recent call last):
  File "a.py", line 1, in <module>
    f()
KeyError: 'first'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
    g()
ValueError: second
"""


@pytest.mark.parametrize(
    ("stderr", "line"),
    [
        ("", NO_LOGS),
        ("\n  \n", NO_LOGS),
        ("one\ntwo\n\n", "two"),
        (TRACEBACK, "ValueError: second"),
        (TRACEBACK + "cleaning up\n", "ValueError: second"),
        ("Traceback (most recent call last):\n  File cut off", "File cut off"),
    ],
)
def test_telling_line(stderr: str, line: str) -> None:
    assert telling_line(stderr) == line


def test_one_line_is_bounded() -> None:
    assert one_line(" a\n\tb ") == "a b"
    assert len(one_line("x" * 10_000)) == 300

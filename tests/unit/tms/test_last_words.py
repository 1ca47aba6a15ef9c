"""What the log of a dead pilot tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewms.tms.launchers.last_words import last_words, told_exit_code


@pytest.mark.parametrize(
    ("log", "words", "code"),
    [
        ("a\n2026 ERROR ewms.pilot pilot_ended pilot=PL-1 code=5 reason=no broker\n\n", "no broker", 5),
        ("2026 ERROR ewms.pilot pilot_ended code=2 reason=wrong\n", "wrong", 2),
        ("Segmentation fault\n", "Segmentation fault", None),
        ("\n", "it left no message", None),
        ("x" * 10_000 + "\nlast\n", "last", None),
        (None, "it left no message", None),
    ],
)
def test_last_words(tmp_path: Path, log: str | None, words: str, code: int | None) -> None:
    path = tmp_path / "pilot.log"
    if log is not None:
        path.write_text(log)
    assert last_words(path) == words
    assert told_exit_code(path) == code

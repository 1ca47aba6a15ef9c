"""How long things are kept, as a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewms.tms.retention import DAY, RULES, Deed, Entry, Kind, decide


@pytest.mark.parametrize(
    ("kind", "days", "in_use", "deed"),
    [
        (Kind.EVENTS, 0.9, False, None),
        (Kind.EVENTS, 1.1, False, Deed.COMPRESS),
        (Kind.EVENTS, 1.1, True, None),
        (Kind.EVENTS, 100, True, None),
        (Kind.ARCHIVED_EVENTS, 6.9, False, None),
        (Kind.ARCHIVED_EVENTS, 7.1, False, Deed.DELETE),
        (Kind.TASKFORCE, 4.9, False, None),
        (Kind.TASKFORCE, 5.1, False, Deed.COMPRESS),
        (Kind.TASKFORCE, 100, True, None),
        (Kind.ARCHIVED_TASKFORCE, 4.9, False, None),
        (Kind.ARCHIVED_TASKFORCE, 5.1, False, Deed.DELETE),
        (Kind.UPLOADS, 0.9, False, None),
        (Kind.UPLOADS, 1.1, False, Deed.DELETE),
        (Kind.UPLOADS, 100, True, None),
        (Kind.UPLOADS, -1, False, None),  # the clock of the file system is ahead
    ],
)
def test_what_becomes_of_it(kind: Kind, days: float, in_use: bool, deed: Deed | None) -> None:
    assert decide(Entry(Path("x"), kind, days * DAY, in_use)) is deed


def test_every_kind_has_a_rule_and_no_archive_is_archived_again() -> None:
    assert RULES.keys() == set(Kind)
    assert RULES[Kind.ARCHIVED_EVENTS].deed is RULES[Kind.ARCHIVED_TASKFORCE].deed is Deed.DELETE

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.core import ids
from ewms.core.errors import InputError

names = st.text(alphabet=st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=260)


def test_workflow_ids_sort_by_time_of_creation() -> None:
    early = ids.workflow_id(1_700_000_000.9, b"\xff" * 8)
    late = ids.workflow_id(1_700_000_001.0, b"\x00" * 8)
    assert early == "WF-6553f100-ffffffff"
    assert early < late


def test_pilot_id() -> None:
    assert ids.pilot_id(bytes(range(16))) == "PL-000102030405"


@pytest.mark.parametrize("good", ["0", "a" * 200, "8:17:2:deadbeef", "book.pdf/p-7", "A_b.C:d/e-9"])
def test_event_ids_that_are_allowed(good: str) -> None:
    assert ids.check_event_id(good) is good


@pytest.mark.parametrize("bad", ["", "a" * 201, "a b", "ä", "a\n", "a\0", "x" * 5000, 7, None])
def test_event_ids_that_are_not_allowed_are_named(bad: object) -> None:
    with pytest.raises(InputError, match="event id") as error:
        ids.check_event_id(bad)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


@given(st.lists(names, min_size=1, max_size=3), st.lists(names, min_size=1, max_size=3))
def test_paths_become_valid_ids_one_to_one(one: list[str], other: list[str]) -> None:
    first, second = PurePosixPath(*one), PurePosixPath(*other)
    id_one, id_other = ids.path_event_id(first), ids.path_event_id(second)
    assert ids.check_event_id(id_one) == id_one
    assert len(id_one) <= ids.MAX_EVENT_ID - 20, "a page number must still fit"
    assert (id_one == id_other) == (first.as_posix() == second.as_posix())


def test_plain_paths_stay_readable() -> None:
    assert ids.path_event_id(PurePosixPath("scans/page-7.png")) == "scans/page-7.png"
    assert ids.path_event_id(PurePosixPath("my scan.png")) == "my:20scan.png"


def test_a_file_name_that_is_not_unicode_has_an_id() -> None:
    name = PurePosixPath(b"\xff.png".decode("utf-8", "surrogateescape"))
    assert ids.path_event_id(name) == ":FF.png"


def test_long_paths_differ_in_their_digest() -> None:
    one, other = (ids.path_event_id(PurePosixPath("d" * 190 + end)) for end in "ab")
    assert one != other
    assert one.startswith("d" * 120 + "-")


@given(st.text("ab/", min_size=1, max_size=200), st.text("ab-", min_size=1, max_size=64), st.integers(0, 10**9))
def test_children_have_valid_ids(parent: str, task: str, number: int) -> None:
    child = ids.child_event_id(parent, task, number)
    assert ids.check_event_id(child) == child
    assert child.endswith(f"/{task}/{number}")


def test_children_of_long_ids_differ() -> None:
    one, other = (ids.child_event_id("p" * 199 + end, "task", 0) for end in "ab")
    assert one != other


def test_children_are_found_below_their_parent() -> None:
    assert ids.child_event_id("book/p7", "text", 3) == "book/p7/text/3"

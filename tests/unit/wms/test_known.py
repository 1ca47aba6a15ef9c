"""An event that is planned twice, by whom it may be."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.core.errors import InputError
from ewms.wms.known import check_known
from ewms.wms.routing import NewEvent, answer_rank, child_rank, is_public_rank, public_rank, source_rank

from .desk import graph_of

GRAPH = graph_of()
IDS = st.text("abz.:/-09", min_size=1, max_size=20)


def event(rank: bytes, data: bytes = b"1") -> NewEvent:
    return NewEvent(0, "one", rank, "json", data)


@given(name=IDS, number=st.integers(0, 2**64 - 1), child=st.integers(0, 2**32 - 1))
def test_only_events_of_public_queues_have_a_public_rank(name: str, number: int, child: int) -> None:
    assert is_public_rank(public_rank(name))
    for rank in (source_rank(number), answer_rank(name), child_rank(public_rank(name), 0, child)):
        assert not is_public_rank(rank)


@given(one=IDS, two=IDS)
def test_public_events_are_between_source_and_answers_by_id(one: str, two: str) -> None:
    assert source_rank(2**63) < public_rank(one) < answer_rank(two)
    assert (public_rank(one) < public_rank(two)) is (one < two)


def test_the_same_event_is_no_error() -> None:
    check_known(event(public_rank("one")), event(public_rank("one")).numbered(1), GRAPH)


def test_a_stranger_s_second_body_is_dropped_and_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "ewms.driver"):
        check_known(event(public_rank("one"), b"2"), event(public_rank("one")).numbered(1), GRAPH)
    assert [record.message for record in caplog.records] == ["public_event_dropped"]


def test_an_application_s_second_body_is_an_error() -> None:
    with pytest.raises(
        InputError, match="duplicate id: event 'one' of queue 'numbers' was planned with body b'1' and is now b'2'"
    ):
        check_known(event(answer_rank("one"), b"2"), event(answer_rank("one")).numbered(1), GRAPH)


def test_a_source_must_not_send_one_id_twice() -> None:
    with pytest.raises(InputError, match="the source sends event 'one' to queue 'numbers' twice"):
        check_known(event(source_rank(1)), event(source_rank(0)).numbered(1), GRAPH)

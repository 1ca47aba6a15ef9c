from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.core.errors import SpecError
from ewms.core.wire import WireOutput
from ewms.stores.base import EventRow
from ewms.wms.routing import NewEvent, Router, answer_rank, child_rank, count_source_ranks, is_source_rank, source_rank

from .desk import graph_of

GRAPH = graph_of(
    {"name": "split", "input": "pages", "output": ["light", "heavy", "log"]},
    {"name": "paint", "input": "light", "output": "parts"},
    {"name": "weigh", "input": "heavy", "output": "parts"},
    {"name": "join", "input": "parts", "output": []},
)
TASK = {task.name: number for number, task in enumerate(GRAPH.tasks)}
PAGE = EventRow(1, TASK["split"], "p7", source_rank(7), "json", b"7", None)
numbers = st.integers(0, 2**32 - 1)
tasks = st.integers(0, 2**16 - 1)


def test_an_output_goes_to_every_reader_of_every_queue() -> None:
    children = list(Router(GRAPH).children(PAGE, [WireOutput("json", b"1"), WireOutput("bytes", b"2")]))
    light, heavy = TASK["paint"], TASK["weigh"]
    assert children == [
        NewEvent(light, "p7/split/0", child_rank(PAGE.rank, light, 0), "json", b"1"),
        NewEvent(heavy, "p7/split/0", child_rank(PAGE.rank, heavy, 0), "json", b"1"),
        NewEvent(light, "p7/split/1", child_rank(PAGE.rank, light, 1), "bytes", b"2"),
        NewEvent(heavy, "p7/split/1", child_rank(PAGE.rank, heavy, 1), "bytes", b"2"),
    ]


def test_an_output_may_name_its_queue() -> None:
    outputs = [WireOutput("json", b"1", "heavy"), WireOutput("json", b"2", "log"), WireOutput("json", b"3", "light")]
    children = list(Router(GRAPH).children(PAGE, outputs))
    assert [(child.task, child.id) for child in children] == [(TASK["weigh"], "p7/split/0"), (TASK["paint"], "p7/split/2")]


def test_the_outputs_of_the_last_task_become_nothing() -> None:
    end = EventRow(1, TASK["join"], "x", b"", "json", b"", None)
    assert list(Router(GRAPH).children(end, [WireOutput("json", b"1")])) == []
    assert list(Router(GRAPH).children(PAGE, [])) == []


def test_a_queue_that_the_task_does_not_write_is_named() -> None:
    with pytest.raises(SpecError, match=r"task 'split' sent an output to queue 'parts'.*\(light, heavy, log\)"):
        list(Router(GRAPH).children(PAGE, [WireOutput("json", b"1", "parts")]))
    end = EventRow(1, TASK["join"], "x", b"", "json", b"", None)
    with pytest.raises(SpecError, match=r"\(none\)"):
        list(Router(GRAPH).children(end, [WireOutput("json", b"1", "parts")]))


def test_the_product_is_what_nobody_reads() -> None:
    router = Router(GRAPH)
    assert [GRAPH.tasks[number].name for number, end in enumerate(router.ends) if end] == ["join"]
    assert router.task_index("weigh") == TASK["weigh"]
    assert router.task_index("unknown") is None


@given(st.lists(numbers, min_size=2, max_size=2, unique=True))
def test_source_events_sort_by_number(pair: list[int]) -> None:
    one, other = pair
    assert (source_rank(one) < source_rank(other)) == (one < other)


@given(parent=numbers, task=tasks, one=numbers, other=numbers, deeper=numbers)
def test_children_sort_after_their_parent_and_before_its_successor(
    parent: int, task: int, one: int, other: int, deeper: int
) -> None:
    rank = source_rank(parent)
    first, second = child_rank(rank, task, one), child_rank(rank, task, other)
    assert rank < first < source_rank(parent + 1)
    assert (first < second) == (one < other)
    grandchild = child_rank(first, task, deeper)
    assert first < grandchild
    assert (grandchild < second) == (one < other)


names = st.text("abc/:", min_size=1, max_size=5)


@given(source=numbers, one=names, other=names, task=tasks, number=numbers)
def test_answers_sort_after_the_source_by_id_with_their_children_behind_them(
    source: int, one: str, other: str, task: int, number: int
) -> None:
    assert source_rank(source) < child_rank(source_rank(source), task, number) < answer_rank(one)
    assert (answer_rank(one) < answer_rank(other)) == (one < other)
    child = child_rank(answer_rank(one), task, number)
    assert answer_rank(one) < child
    assert (child < answer_rank(other)) == (one < other)


def test_source_events_are_told_apart() -> None:
    assert is_source_rank(source_rank(0))
    assert not is_source_rank(child_rank(source_rank(0), 0, 0))
    assert not is_source_rank(answer_rank("a"))
    ranks = (source_rank(7), child_rank(source_rank(0), 0, 0), answer_rank("a"), source_rank(8))
    assert count_source_ranks([NewEvent(0, "x", rank, "json", b"1") for rank in ranks]) == 2

"""Tasks and queues are drawn from left to right, none over another."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from ewms.core.spec import WorkflowSpec, parse_spec
from ewms.wms.web.graph import Node, draw


def spec(*tasks: tuple[str, str, list[str]], **more: Any) -> WorkflowSpec:
    tables = [{"name": name, "python": "m:f", "input": read, "output": written} for name, read, written in tasks]
    return parse_spec({"name": "graph", "tasks": tables, **more}, "test")


CHAIN = spec(("split", "pages", ["lines"]), ("read", "lines", ["words"]))
DIAMOND = spec(("a", "in", ["left", "right"]), ("b", "left", ["out"]), ("c", "right", ["out"]), ("d", "out", []))
LATE_FIRST = spec(("last", "b", []), ("middle", "a", ["b"]), ("first", "in", ["a"]))


@pytest.mark.parametrize("graph", [CHAIN, DIAMOND, LATE_FIRST])
def test_nothing_lies_over_another_and_arrows_go_right(graph: WorkflowSpec) -> None:
    drawing = draw(graph)
    for one, two in combinations(drawing.nodes, 2):
        assert not overlap(one, two), (one, two)
    for node in drawing.nodes:
        assert 0 <= node.x <= node.x + node.width <= drawing.width
        assert 0 <= node.y <= node.y + node.height <= drawing.height
    assert all(edge.x1 < edge.x2 for edge in drawing.edges)
    assert len(drawing.edges) == sum(1 + len(task.output) for task in graph.tasks)


def test_a_queue_knows_its_reader() -> None:
    found = {node.name: node.task for node in draw(CHAIN).nodes}
    assert found == {"pages": "split", "split": "split", "lines": "read", "read": "read", "words": ""}


def test_an_application_without_tasks_is_an_empty_drawing() -> None:
    assert draw(spec(application="m:A")).nodes == ()


def overlap(one: Node, two: Node) -> bool:
    beside = one.x + one.width <= two.x or two.x + two.width <= one.x
    above = one.y + one.height <= two.y or two.y + two.height <= one.y
    return not (beside or above)

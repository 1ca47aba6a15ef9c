from __future__ import annotations

import itertools
from typing import Any

import pytest

from ewms.core.errors import SpecError
from ewms.core.graph import Graph, build_graph
from ewms.core.spec import parse_spec


def graph(*tasks: tuple[str, str, list[str]], **declared: Any) -> Graph:
    """The graph of tasks given as name, input and outputs."""
    listed = [{"name": name, "python": "work:any", "input": input_, "output": output} for name, input_, output in tasks]
    return build_graph(parse_spec({"name": "tried", "tasks": listed, **declared}, "tried"))


def refusal(*tasks: tuple[str, str, list[str]], **declared: Any) -> str:
    with pytest.raises(SpecError) as error:
        graph(*tasks, **declared)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_one_task() -> None:
    found = graph(("square", "numbers", ["squares"]))
    assert (found.sources, found.sinks, found.reader) == (("numbers",), ("squares",), {"numbers": "square"})
    assert found.task("square").input == "numbers"
    assert found.task_reading("") == found.task_reading("numbers") == "square"
    with pytest.raises(KeyError):
        found.task("cube")


def test_tasks_are_put_in_order() -> None:
    found = graph(
        ("join", "parts", ["book"]),
        ("left", "a", ["parts"]),
        ("right", "b", ["parts", "log"]),
        ("split", "pages", ["a", "b"]),
    )
    order = [task.name for task in found.tasks]
    assert order[0] == "split"
    assert order[-1] == "join"
    assert found.sources == ("pages",)
    assert found.sinks == ("book", "log")


def test_a_task_without_outputs_is_an_end() -> None:
    assert graph(("store", "files", [])).sinks == ()


def test_no_tasks() -> None:
    assert "workflow 'tried' has no tasks" in refusal()


def test_two_tasks_of_one_name() -> None:
    assert "two tasks are named 'a'" in refusal(("a", "x", ["y"]), ("a", "y", []))


def test_two_readers() -> None:
    line = refusal(("a", "x", []), ("b", "x", []))
    assert "queue 'x' is read by both 'a' and 'b'" in line
    assert "two queues" in line


def test_a_cycle() -> None:
    line = refusal(("a", "x", ["y"]), ("b", "y", ["z"]), ("c", "z", ["x"]))
    assert "form a cycle" in line
    cycle = line.partition("cycle: ")[2].partition(";")[0].split(" -> ")
    assert cycle[0] == cycle[-1]
    assert set(itertools.pairwise(cycle)) == {("a", "b"), ("b", "c"), ("c", "a")}


def test_a_task_that_feeds_itself() -> None:
    assert "form a cycle: a -> a" in refusal(("a", "x", ["x"]))


def test_a_misspelt_queue_between_two_tasks() -> None:
    line = refusal(("scan", "pages", ["textt"]), ("read", "text", ["words"]))
    assert "queue 'textt' has no reader, and nothing fills queue 'text' of task 'read'" in line
    assert "misspelt" in line


def test_two_queues_that_nothing_fills() -> None:
    line = refusal(("a", "north", ["x"]), ("b", "south", ["y"]))
    assert "nothing fills the queues north, south" in line
    assert "inputs =" in line


def test_several_inputs_can_be_declared() -> None:
    found = graph(("a", "north", ["x"]), ("b", "south", ["y"]), inputs=["south", "north"])
    assert found.sources == ("south", "north")
    assert found.task_reading("") == "b"


def test_an_input_may_also_be_filled_by_a_task() -> None:
    assert graph(("a", "x", ["y"]), ("b", "y", []), inputs=["x", "y"]).sources == ("x", "y")


def test_a_misspelt_input() -> None:
    line = refusal(("a", "pages", ["text"]), inputs=["page"])
    assert "input queue 'page' has no reader; did you mean 'pages'?" in line


def test_an_input_that_was_not_declared() -> None:
    line = refusal(("a", "north", ["x"]), ("b", "south", ["y"]), inputs=["north"])
    assert "nothing fills queue 'south', which task 'b' reads; name it in inputs =" in line


def test_outputs_can_be_declared() -> None:
    assert graph(("a", "x", ["y"]), ("b", "y", ["z"]), outputs=["y", "z"]).sinks == ("y", "z")


def test_a_misspelt_output() -> None:
    line = refusal(("a", "pages", ["text"]), outputs=["txt"])
    assert "no task writes the output queue 'txt'; did you mean 'text'?" in line


def test_an_output_that_was_not_declared_has_no_reader() -> None:
    line = refusal(("a", "x", ["y", "log"]), outputs=["y"])
    assert "queue 'log' has no reader" in line
    assert "outputs =" in line


def test_an_event_for_a_queue_that_nobody_reads() -> None:
    with pytest.raises(SpecError, match=r"queue 'numbres', which no task reads; did you mean 'numbers'\?"):
        graph(("square", "numbers", ["squares"])).task_reading("numbres")
    with pytest.raises(SpecError, match="known queues: numbers"):
        graph(("square", "numbers", ["squares"])).task_reading("xyzzy")

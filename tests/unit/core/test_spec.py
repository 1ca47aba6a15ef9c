"""Every mistake in a spec is answered by one line that names the key and says what to do."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ewms.core.errors import SpecError
from ewms.core.spec import WorkflowSpec, parse_size, parse_spec

TASK = {"name": "square", "python": "work:square", "input": "numbers", "output": "squares"}


def refusal(document: dict[str, Any]) -> str:
    """The one line with which a spec is refused."""
    with pytest.raises(SpecError) as error:
        parse_spec(document, "workflow.toml")
    line = str(error.value)
    assert line.startswith("workflow.toml: ")
    assert "\n" not in line
    return line.removeprefix("workflow.toml: ")


def with_task(**changes: Any) -> dict[str, Any]:
    """A good spec with its task changed; None takes a key away."""
    task = {key: value for key, value in (TASK | changes).items() if value is not None}
    return {"name": "squares", "tasks": [task]}


def test_the_smallest_toml() -> None:
    toml = """
        name = "squares"
        [[tasks]]
        name = "square"
        python = "work:square"
        input = "numbers"
        output = "squares"
    """
    spec = parse_spec(tomllib.loads(toml), "workflow.toml")
    (task,) = spec.tasks
    assert (spec.name, task.name, task.python, task.input, task.output) == (
        *("squares", "square", "work:square", "numbers"),
        ("squares",),
    )
    assert (task.retry.max_failures, task.retry.max_vanishes, task.bundle, task.codec) == (3, 5, "auto", "json")


def test_everything_that_can_be_said() -> None:
    document = {
        "name": "everything",
        "application": "science:Scan",
        "parameters": {"nside": 8},
        "inputs": ["pages"],
        "outputs": ["text", "layout"],
        "window": 100,
        "tasks": [
            {
                "name": "read",
                "command": ["tool", "{{INFILE}}", "{{OUTFILE}}"],
                "input": "pages",
                "output": ["text", "layout"],
                "timeout": 3600,
                "retry": {"max_failures": 1, "max_vanishes": 2, "delay": 1.5, "backoff": 3, "max_delay": 10},
                "resources": {"cpus": 4, "memory": "2 GiB", "disk": "10GB", "gpus": 1},
                "environment": {"OMP_NUM_THREADS": "1"},
                "codec": "msgpack",
                "bundle": 7,
                "speculate": False,
                "infile_suffix": ".json",
                "outfile_suffix": ".txt",
                "okay_exit_codes": [0, 3],
            }
        ],
    }
    spec = parse_spec(document, "workflow.toml")
    (task,) = spec.tasks
    assert (task.resources.memory, task.resources.disk) == (2 * 1024**3, 10 * 1000**3)
    assert parse_spec(spec.model_dump(), "again") == spec
    assert WorkflowSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (with_task() | {"nmae": "x"}, ["unknown key 'nmae'", "did you mean 'name'?"]),
        (with_task(outptu="x"), ["task 'square': unknown key 'outptu'", "did you mean 'output'?"]),
        (with_task(xyzzy=1), ["task 'square': unknown key 'xyzzy'", "known keys: name, python, command"]),
        (
            with_task(retry={"max_failure": 1}),
            ["task 'square': unknown key 'retry.max_failure'", "did you mean 'max_failures'?"],
        ),
        (with_task(resources={"memroy": 1}), ["task 'square': unknown key 'resources.memroy'", "did you mean 'memory'?"]),
        (with_task(name=None), ["key 'tasks.0.name' is missing"]),
        (with_task(input=None), ["task 'square': key 'input' is missing"]),
        ({"tasks": [TASK]}, ["key 'name' is missing"]),
        (with_task(python=None), ["tasks.0", "'square'", "needs a consumer", "python =", "command ="]),
        (with_task(command=["sq"]), ["tasks.0", "'square'", "exactly one of python =, command = and container ="]),
        (with_task(python=None, command=[]), ["tasks.0", "command of task 'square' is empty"]),
        (with_task(python="work"), ["task 'square': python", "'work' is not of the form module:callable"]),
        (with_task(python="work:a b"), ["task 'square': python", "module:callable"]),
        (with_task(name="a b"), ["name: ", "'a b' is not a name", "letters, digits"]),
        (with_task(name="-a"), ["name: ", "the first no dash"]),
        (with_task(name="n" * 65), ["name: ", "1 to 64"]),
        (with_task(input=""), ["task 'square': input", "'' is not a name"]),
        (with_task(output=["ok", "not ok"]), ["task 'square': output", "'not ok' is not a name"]),
        (with_task(output=7), ["task 'square': output"]),
        (with_task(resources={"memory": "2 GX"}), ["task 'square': resources.memory", "'2 GX' is not a size", "2 GiB"]),
        (with_task(resources={"memory": "lots"}), ["task 'square': resources.memory", "'lots' is not a size"]),
        (with_task(resources={"memory": 0}), ["task 'square': resources.memory", "greater than or equal to 1"]),
        (with_task(resources={"cpus": 0}), ["task 'square': resources.cpus"]),
        (with_task(resources={"gpus": -1}), ["task 'square': resources.gpus"]),
        (with_task(timeout=0), ["task 'square': timeout", "greater than 0"]),
        (with_task(timeout="soon"), ["task 'square': timeout"]),
        (with_task(retry={"max_failures": 0}), ["task 'square': retry.max_failures"]),
        (with_task(codec="pickle"), ["task 'square': codec", "'pickle' is unknown", "json or msgpack"]),
        (with_task(bundle=0), ["task 'square': bundle", "at least 1 or 'auto'"]),
        (with_task(bundle="some"), ["task 'square': bundle"]),
        (with_task(environment={"A": 1}), ["task 'square': environment.A"]),
        (with_task() | {"window": 0}, ["window", "greater than or equal to 1"]),
        (with_task() | {"name": "käse"}, ["name", "is not a name"]),
        ({"name": "x", "tasks": {"name": "square"}}, ["tasks"]),
        ({"name": "x", "tasks": ["square"]}, ["tasks.0"]),
    ],
)
def test_a_mistake_is_named(document: dict[str, Any], words: list[str]) -> None:
    line = refusal(document)
    for word in words:
        assert word in line


def test_what_comes_before_is_not_blamed() -> None:
    document = with_task()
    document["tasks"].append(TASK | {"name": "second", "tiemout": 5})
    assert "task 'second': unknown key 'tiemout'" in refusal(document)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("7B", 7),
        ("500 MB", 500_000_000),
        ("2 GiB", 2 * 1024**3),
        (" 1.5KiB ", 1536),
        ("3TB", 3 * 10**12),
        (12, 12),
    ],
)
def test_sizes(text: Any, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1", "1 GiBB", "1e3", "1,5 GB", "1 iB", "2G", "٣"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size; write for example"):
        parse_size(text)


plain = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.text(max_size=5), max_size=2)
keys = st.sampled_from(["name", "python", "command", "input", "output", "retry", "resources", "bundle", "codec", "odd"])


@given(st.dictionaries(keys, plain | st.dictionaries(keys, plain, max_size=2), max_size=5))
def test_whatever_is_written_the_answer_is_a_spec_or_one_line(changes: dict[str, Any]) -> None:
    try:
        answer = parse_spec({"name": "any", "tasks": [TASK | changes]}, "here").tasks[0].input
    except SpecError as error:
        answer = str(error).removeprefix("here: ")
        assert len(answer) < len(str(error))  # noqa: PT017  either answer is right
    assert answer
    assert "\n" not in answer

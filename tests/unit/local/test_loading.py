"""From what a user types to a checked workflow."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewms.core.errors import SpecError
from ewms.local.loading import load

TOML = """
name = "flow"
[parameters]
depth = 1
[[tasks]]
name = "work"
python = "flow_code:work"
input = "numbers"
output = "results"
"""
CODE = """
import ewms

def work(x):
    return x

class App(ewms.Application):
    consumer = work

    def __init__(self, inputs=(), depth=0):
        super().__init__(inputs)
        self.depth = depth

class Several(App):
    tasks = (
        ewms.TaskSpec(name="one", python="flow_code:work", input="ones", output=("twos",)),
        ewms.TaskSpec(name="two", python="flow_code:work", input="twos", timeout=3, output=("threes",)),
        ewms.TaskSpec(name="ten", python="flow_code:work", input="tens", output=("threes",)),
    )

flow = ewms.Workflow("built").task(work, input="a", output="b")
spec = flow.spec()
number = 42
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.joinpath("workflow.toml").write_text(TOML)
    tmp_path.joinpath("flow_code.py").write_text(CODE)
    return tmp_path


@pytest.fixture(autouse=True)
def forget_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(__import__("sys").modules, "flow_code", raising=False)


@pytest.mark.parametrize("name", ["workflow.toml", "."])
def test_a_file_or_its_folder(folder: Path, name: str) -> None:
    loaded = load(name, {"tasks.work.timeout": 5, "depth": 3, "window": 7}, folder)
    assert loaded.graph.task("work").timeout == 5
    assert (loaded.spec.window, loaded.spec.parameters) == (7, {"depth": 3})


@pytest.mark.parametrize(
    ("name", "task"), [("flow_code:flow", "work"), ("flow_code:spec", "work"), ("flow_code:App", "app")]
)
def test_a_reference(folder: Path, name: str, task: str) -> None:
    assert load(name, {}, folder).graph.tasks[0].name == task


def test_an_application_gets_its_parameters(folder: Path) -> None:
    application = load("flow_code:App", {"depth": 4}, folder).application([])
    assert application.depth == 4  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("flow_code:number", {}, "neither"),
        ("flow_code:missing", {}, "missing"),
        ("no_such_module:x", {}, "no_such_module"),
        ("empty", {}, r"holds no workflow\.toml"),
    ],
)
def test_what_is_no_workflow_is_named(folder: Path, name: str, settings: dict[str, object], words: str) -> None:
    folder.joinpath("empty").mkdir()
    with pytest.raises(SpecError, match=words):
        load(name, settings, folder)


def test_a_parameter_that_the_application_does_not_take(folder: Path) -> None:
    with pytest.raises(SpecError, match="width"):
        load("flow_code:App", {"width": 4}, folder).application([])


def test_an_application_fills_all_queues_that_no_task_fills(folder: Path) -> None:
    assert load("flow_code:Several", {}, folder).spec.inputs == ("ones", "tens")


@pytest.mark.parametrize("name", ["flow_code:Several", "app.toml"])
def test_settings_reach_the_tasks_that_an_application_brings(folder: Path, name: str) -> None:
    folder.joinpath("app.toml").write_text('name = "app"\napplication = "flow_code:Several"\n')
    loaded = load(name, {"tasks.two.retry.max_failures": 15, "tasks.one.timeout": 5, "depth": 2}, folder)
    one, two, ten = loaded.spec.tasks
    assert (one.timeout, two.timeout, ten.timeout, two.retry.max_failures) == (5, 3, None, 15)
    assert loaded.spec.inputs == ("ones", "tens")
    assert loaded.application([]).depth == 2  # type: ignore[attr-defined]
    with pytest.raises(SpecError, match="there is no task 'three'"):
        load(name, {"tasks.three.timeout": 5}, folder)

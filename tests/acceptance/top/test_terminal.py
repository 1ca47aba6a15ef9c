"""`ewms top` as a command: on a real terminal, on a run directory, and where there is nothing to show."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ewms.cli.top import top
from ewms.client.connect import connection_to
from ewms.core.errors import UsageError
from ewms.top.app import Top
from ewms.top.folder import FolderSource
from ewms.top.service import ServiceSource
from tests.support.dev_tree import DevTree, dev_tree
from tests.support.screens import until_seen
from tests.support.terminal import Terminal

EWMS = str(Path(sys.executable).with_name("ewms"))
SPEC = """
name = "squares"
[[tasks]]
name = "square"
python = "work:square"
input = "numbers"
output = "squares"
retry = { max_failures = 2 }
"""
WORK = """
import sys

def square(number):
    if number == 13:
        print("thirteen is no number", file=sys.stderr)
        raise ValueError("unlucky")
    return number * number
"""
PICTURES = Path(__file__).resolve().parents[3] / "docs" / "pictures"


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    tmp_path.joinpath("workflow.toml").write_text(SPEC)
    tmp_path.joinpath("work.py").write_text(WORK)
    tmp_path.joinpath("numbers.jsonl").write_text("12\n13\n14\n")
    return tmp_path


def run(folder: Path, *arguments: str, **environment: str) -> None:
    done = subprocess.run(
        [EWMS, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 3, done.stdout + done.stderr


async def test_a_run_directory(squares: Path) -> None:
    run(squares, "run", ".", "--input", "numbers.jsonl", "--out", "out")
    app = Top(FolderSource(squares / "out"))
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until_seen(pilot, "squares", "complete", "3/3 100%")
        await pilot.press("enter")
        await until_seen(pilot, "square", "3/3 100%")
        await pilot.press("4")
        await until_seen(pilot, "1 causes", "ValueError: unlucky", "thirteen is no number")
        await pilot.press("5")
        await until_seen(pilot, "1 of 1 dead letters", "body: 13")
        await pilot.press("2")
        await until_seen(pilot, "is complete: its queues")
        await pilot.press("3")
        await until_seen(pilot, "not kept of a run on this machine")
        await pilot.press("c")
        await until_seen(pilot, "Yes (y)")
        await pilot.press("y")
        await until_seen(pilot, "end the run with Ctrl-C where it runs")


@pytest.mark.timeout(300)  # a whole service starts, on a machine that may be loaded
async def test_a_whole_service_and_its_picture(squares: Path, tmp_path: Path) -> None:
    with dev_tree(tmp_path / "data") as tree:
        run(squares, "submit", ".", "--input", "numbers.jsonl", "--wait", "--out", "out", **tree.environment)
        token = (tree.folder / "secrets" / "operator.token").read_text().strip()
        app = Top(ServiceSource(connection_to(tree.url, token=token, patience=0.0)))
        async with app.run_test(size=(120, 36)) as pilot:
            await until_seen(pilot, "squares", "complete", "3/3 100%", "live")
            await pilot.press("enter")
            await until_seen(pilot, "1 Tasks", "square")
            await pilot.press("3")
            await until_seen(pilot, "local", "condor-complete")
            await pilot.press("4")
            await until_seen(pilot, "ValueError: unlucky", "hosts: ", "Traceback")
            # Readers of the documentation are to fetch no fonts from elsewhere.
            picture = re.sub(r"@font-face \{.*?\}", "", app.export_screenshot(title="ewms top"), flags=re.DOTALL)
            assert picture.startswith("<svg")
            if "EWMS_PICTURES" in os.environ:
                PICTURES.mkdir(exist_ok=True)
                PICTURES.joinpath("top.svg").write_text(picture)
            await pilot.press("q", "s")
            await until_seen(pilot, "the service is ready", "Clusters", "local")
        on_a_terminal(tree)


def on_a_terminal(tree: DevTree) -> None:
    """The command itself, where a terminal is all that there is."""
    with Terminal([EWMS, "top"], columns=80, lines=24, NO_COLOR="1", **tree.environment) as terminal:
        terminal.until("squares", "complete", "3/3 100%", "Quit")
        terminal.press("/")
        terminal.until("part of a name or id")
        terminal.press("cubes\r")
        terminal.until("no workflows")
        terminal.press("q")
        assert terminal.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give --server URL, or set EWMS_SERVER; a run on this machine is shown by: ewms top DIR"),
        (["--server", "http://127.0.0.1:9"], "no service answers at http://127.0.0.1:9"),
        (["WF-1"], "there is no folder WF-1; for a workflow at a service give --server URL"),
        (["/"], "/ holds no workflow; `ewms run` makes one"),
    ],
)
def test_nothing_to_show_is_one_line(tmp_path: Path, arguments: list[str], told: str) -> None:
    with Terminal([EWMS, "top", *arguments], columns=200, lines=24, EWMS_SERVER="") as terminal:
        code = terminal.wait()
    assert code in {1, 2}
    lines = [line for line in terminal.said.splitlines() if line.strip()]
    assert len(lines) == 1
    assert told in lines[0]


def test_without_textual_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "textual" else find(name))
    found = CliRunner().invoke(top, [])
    assert isinstance(found.exception, UsageError)
    assert str(found.exception) == "ewms top needs textual; install it with: pip install 'ewms[top]'"


def test_without_a_terminal_it_names_the_command_for_programs() -> None:
    found = CliRunner().invoke(top, [])
    assert isinstance(found.exception, UsageError)
    assert "needs a terminal" in str(found.exception)
    assert "ewms status --json" in str(found.exception)

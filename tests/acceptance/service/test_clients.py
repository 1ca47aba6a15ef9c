"""A shared service as its users see it: the commands and `ewms.connect` against one that really runs."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import ewms as public
from ewms.client.connect import connect
from ewms.client.session import Session
from ewms.core.errors import EventFailed, Forbidden, NotFound, WorkflowCancelled
from tests.acceptance.service.conftest import Command
from tests.acceptance.service.work import slow_square, sometimes, square
from tests.support.dev_tree import DevTree

ROOT = Path(__file__).resolve().parents[3]
SPEC = """
name = "squares"

[[tasks]]
name = "square"
python = "work:square"
input = "numbers"
output = "squares"
"""
WORK = """
import sys

def square(number):
    if number == 13:
        print("thirteen is no number", file=sys.stderr)
        raise ValueError("unlucky")
    return number * number
"""


@pytest.fixture
def session(service: DevTree) -> Iterator[Session]:
    token = (service.folder / "secrets" / "operator.token").read_text().strip()
    with connect(service.url, token=token) as found:
        yield found


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    """A folder as a user has it: spec, module, inputs."""
    folder = tmp_path / "squares"
    folder.mkdir()
    folder.joinpath("workflow.toml").write_text(SPEC)
    folder.joinpath("work.py").write_text(WORK)
    folder.joinpath("numbers.jsonl").write_text("".join(f"{number}\n" for number in range(12)))
    return folder


def product(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_product_is_that_of_a_local_run(ewms: Command, tmp_path: Path) -> None:
    ewms("submit", str(ROOT / "examples" / "ocr"), "--set", "sample_pages=2", "--wait", "--out", "remote")
    ewms("run", str(ROOT / "examples" / "ocr"), "--set", "sample_pages=2", "--out", "local")
    assert product(tmp_path / "remote" / "product") == product(tmp_path / "local" / "product") != {}
    assert (tmp_path / "remote" / "dead_letters.jsonl").read_bytes() == b""
    assert json.loads((tmp_path / "remote" / "summary.json").read_text())["state"] == "complete"


def test_submit_and_fetch_later(ewms: Command, squares: Path, tmp_path: Path) -> None:
    done = ewms("submit", str(squares), "--input", str(squares / "numbers.jsonl"), "--label", "kind=test")
    workflow = done.stdout.strip()
    assert workflow.startswith("WF-")
    assert f"ewms status {workflow}" in done.stderr
    assert (
        ewms("fetch", workflow, "--out", "got").stdout == f"complete: 12 events; the product is in {Path('got/product')}\n"
    )
    lines = [json.loads(line) for line in (tmp_path / "got" / "product" / "outcomes.jsonl").read_text().splitlines()]
    assert [line["output"] for line in lines] == [number * number for number in range(12)]
    shown = ewms("status", workflow).stdout
    assert "complete" in shown
    assert "square: 12 of 12" in shown
    assert workflow in ewms("status").stdout
    streamed = [json.loads(line) for line in ewms("outcomes", workflow).stdout.splitlines()]
    assert {line["id"]: line["output"] for line in streamed} == {line["id"]: line["output"] for line in lines}
    assert json.loads(ewms("status", workflow, "--json").stdout)["labels"] == {"kind": "test"}


def test_failures_are_explained_and_tried_again(ewms: Command, squares: Path, tmp_path: Path) -> None:
    squares.joinpath("numbers.jsonl").write_text("12\n13\n14\n")
    arguments = (
        "submit",
        str(squares),
        "--input",
        str(squares / "numbers.jsonl"),
        "--set",
        "tasks.square.retry.max_failures=2",
    )
    done = ewms(*arguments, "--wait", "--out", "out", code=3)
    workflow = done.stdout.split()[0]
    assert f"1 dead letter; see: ewms why {workflow}" in done.stdout
    assert "unlucky" in ewms("why", workflow).stdout
    assert "unlucky" in ewms("dead-letters", "list", workflow).stdout
    assert "body: 13" in ewms("dead-letters", "show", workflow, "1").stdout
    assert "thirteen is no number" in ewms("logs", workflow, "--event", "1").stdout
    assert "trying 1 dead letter again" in ewms("dead-letters", "replay", workflow).stderr
    ewms("fetch", workflow, "--out", "again", code=3)
    assert "thirteen" in (tmp_path / "again" / "dead_letters.jsonl").read_text()


def test_pause_resume_cancel(ewms: Command, session: Session) -> None:
    submitted = session.submit("tests.acceptance.service.work:naps")
    for status in submitted.follow():
        if status.counts.get("accepted", 0):
            break
    assert "is being paused" in ewms("pause", submitted.id).stdout
    for status in submitted.follow():
        if status.state == "paused":
            break
    assert "go on with: ewms resume" in ewms("status", submitted.id).stdout
    ewms("resume", submitted.id)
    for status in submitted.follow():
        if status.state == "running":
            break
    assert "local" in ewms("workers", submitted.id).stdout
    ewms("cancel", submitted.id)
    with pytest.raises(WorkflowCancelled):
        submitted.wait()


def test_map(session: Session) -> None:
    assert list(session.map(square, range(1000))) == [number * number for number in range(1000)]


def test_map_is_lazy_in_its_inputs_and_its_results(session: Session) -> None:
    results = session.map(square, itertools.count(), ordered=False)
    assert len(list(itertools.islice(results, 50))) == 50
    results.close()  # type: ignore[attr-defined]
    newest = next(session.workflows())
    with pytest.raises(WorkflowCancelled):
        session.workflow(newest.workflow_id).wait()


def test_map_carries_bytes_and_failures(session: Session) -> None:
    assert list(session.map(sometimes, [])) == []
    found = session.map(sometimes, [b"a", b"b", b"bad"], retry={"max_failures": 1})
    assert [next(found), next(found)] == [b"A", b"B"]
    with pytest.raises(EventFailed, match=r"input 2: .*bad"):
        next(found)


def test_an_iterable_that_raises(session: Session) -> None:
    def inputs() -> Iterator[int]:
        yield 1
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        list(session.map(square, inputs()))


def test_run_with_events(session: Session, tmp_path: Path) -> None:
    flow = public.Workflow("sums").task(slow_square, input="numbers", output="squares")
    seen: list[int] = []
    result = session.run(
        flow, events=[3, 4], out=tmp_path / "out", progress=lambda progress: seen.append(progress.events["accepted"])
    )
    assert [line["output"] for line in result.outcomes()] == [9, 16]
    assert list(result.dead_letters()) == []
    assert seen[-1] == 2


def test_the_same_content_is_uploaded_once(ewms: Command, squares: Path) -> None:
    arguments = ("submit", str(squares), "--input", str(squares / "numbers.jsonl"))
    squares.joinpath("work.py").write_text(WORK + f"# {squares}\n")
    assert "uploading" in ewms(*arguments).stderr
    assert "uploading" not in ewms(*arguments).stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("status", "WF-00000000-00000000"), "WF-00000000-00000000"),
        (("submit", "nowhere"), "'nowhere' is no TOML file"),
        (("submit", "{squares}"), "give --input"),
        (("submit", "{squares}", "--input", "lost"), "input lost does not exist"),
        (("submit", "{squares}", "--cluster", "mars", "--input", "{squares}/numbers.jsonl"), "mars"),
        (("submit", "{squares}", "--include", "lost*", "--input", "{squares}/numbers.jsonl"), "nothing in .* is called"),
        (("submit", "{squares}", "--out", "x"), "--out is for what --wait fetches"),
        (("submit", "{squares}", "--label", "x"), "write KEY=VALUE"),
        (("status", "--server", "nowhere"), "no URL"),
        (("status", "--server", "http://127.0.0.1:9"), "no service answers"),
        (("login",), "EWMS_TOKEN_FILE"),
        (("logout",), "there is no login"),
    ],
)
def test_mistakes_are_one_line(ewms: Command, squares: Path, arguments: tuple[str, ...], complaint: str) -> None:
    told = [argument.format(squares=squares) for argument in arguments]
    done: subprocess.CompletedProcess[str] = ewms(*told, code=None)
    assert done.returncode in {1, 2}
    lines = [line for line in done.stderr.splitlines() if not line.startswith("uploading")]
    assert len(lines) == 1, done.stderr
    assert re.search(complaint, lines[0]), lines[0]


def test_a_wrong_token(service: DevTree, ewms: Command) -> None:
    with connect(service.url, token="ewms_wrong") as stranger, pytest.raises(Forbidden, match="ewms login"):
        list(stranger.workflows())
    done = ewms("status", EWMS_TOKEN="ewms_wrong", code=1)
    assert "ewms_wrong" not in done.stderr


def test_a_workflow_that_is_not_there(session: Session) -> None:
    with pytest.raises(NotFound):
        session.workflow("WF-00000000-00000000").status()

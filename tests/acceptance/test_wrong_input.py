"""A user's mistake is answered by one line that names it and an exit code, and nothing is started."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

EWMS = str(Path(sys.executable).with_name("ewms"))
GOOD = """
name = "squares"
[[tasks]]
name = "square"
python = "work:square"
input = "numbers"
output = "squares"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.joinpath("work.py").write_text("def square(number):\n    return number * number\n")
    tmp_path.joinpath("workflow.toml").write_text(GOOD)
    tmp_path.joinpath("numbers.jsonl").write_text("1\n2\n")
    return tmp_path


def ewms(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [EWMS, *arguments], cwd=folder, capture_output=True, text=True, timeout=240, check=False, stdin=subprocess.DEVNULL
    )


def refused(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0]


def spec_with(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


SECOND = '[[tasks]]\nname = "second"\npython = "work:square"\ninput = "{0}"\noutput = "{1}"\n'


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (spec_with("output =", "outptu ="), ["outptu", "output"]),
        (spec_with('python = "work:square"\n', ""), ["square", "consumer"]),
        (spec_with("work:square", "work:sqare"), ["sqare", "square"]),
        (spec_with("work:square", "wrok:square"), ["wrok"]),
        (GOOD + SECOND.format("squares", "numbers"), ["cycle", "square", "second"]),
        (GOOD + SECOND.format("sqares", "x"), ["squares", "no reader", "sqares"]),
        (GOOD + SECOND.format("numbers", "x"), ["numbers", "square", "second"]),
        (GOOD + 'command = ["true"]\n', ["exactly one", "square"]),
        (GOOD + "timeout = -1\n", ["timeout"]),
        (GOOD + '[tasks.resources]\nmemory = "much"\n', ["much", "GiB"]),
        ("name = ", ["TOML"]),
        ('name = "x"\n', ["no tasks"]),
    ],
)
def test_a_wrong_spec(folder: Path, spec: str, words: list[str]) -> None:
    folder.joinpath("workflow.toml").write_text(spec)
    refused(ewms(folder, "run", "workflow.toml", "--input", "numbers.jsonl", "--out", "out"), 2, *words)
    assert not folder.joinpath("out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["workflow.toml"], ["--input"]),
        (["workflow.toml", "--input", "missing.jsonl"], ["missing.jsonl", "does not exist"]),
        (["nothing.toml", "--input", "numbers.jsonl"], ["nothing.toml"]),
        (["nothing", "--input", "numbers.jsonl"], ["nothing", "installed"]),
        (["work:nothing", "--input", "numbers.jsonl"], ["nothing"]),
        (["workflow.toml", "--input", "numbers.jsonl", "--set", "tasks.cube.timeout=1"], ["cube"]),
        (["workflow.toml", "--input", "numbers.jsonl", "--set", "colour=red"], ["colour"]),
        (["workflow.toml", "--input", "numbers.jsonl", "--out", "work.py"], ["work.py", "--out"]),
    ],
)
def test_wrong_arguments(folder: Path, arguments: list[str], words: list[str]) -> None:
    refused(ewms(folder, "run", *arguments), 2, *words)


def test_a_line_that_is_not_json(folder: Path) -> None:
    folder.joinpath("numbers.jsonl").write_text("1\n{2\n")
    refused(ewms(folder, "run", "workflow.toml", "--input", "numbers.jsonl", "--out", "out"), 2, "numbers.jsonl line 2")


def test_one_option_takes_all_that_a_shell_pattern_gives(folder: Path) -> None:
    for name in ("b.jsonl", "a.jsonl"):
        folder.joinpath(name).write_text("1\n2\n")
    ended = ewms(folder, "run", "workflow.toml", "--input", "a.jsonl", "b.jsonl", "--out", "out")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("complete: 4 events")


def test_an_empty_input_is_no_error_but_is_told(folder: Path) -> None:
    folder.joinpath("none.jsonl").touch()
    ended = ewms(folder, "run", "workflow.toml", "--input", "none.jsonl", "--out", "out")
    assert ended.returncode == 0
    assert ended.stdout.startswith("complete: no events (was the input empty?)")


def test_a_duplicate_id(folder: Path) -> None:
    for name in ("a", "b"):
        folder.joinpath(name).mkdir()
        folder.joinpath(name, "same.txt").write_text(name)
    refused(ewms(folder, "run", "workflow.toml", "--input", "a", "--input", "b", "--out", "out"), 2, "duplicate", "same.txt")


def test_an_out_folder_that_is_taken(folder: Path) -> None:
    run = ("run", "workflow.toml", "--input", "numbers.jsonl", "--out", "out")
    assert ewms(folder, *run).returncode == 0
    refused(ewms(folder, *run), 2, "out", "ewms resume")


def test_a_broker_that_is_not_there(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"nats://user:secret@127.0.0.1:{port}"
    done = ewms(folder, "run", "workflow.toml", "--input", "numbers.jsonl", "--out", "out", "--broker", url)
    refused(done, 1, f"127.0.0.1:{port}")
    assert "secret" not in done.stderr


def test_a_folder_without_a_workflow(folder: Path) -> None:
    for command in ("status", "why", "resume"):
        refused(ewms(folder, command, "nowhere"), 1, "nowhere", "ewms run")


def test_a_consumer_that_raises_on_import(folder: Path) -> None:
    folder.joinpath("work.py").write_text("def square(number):\n    return number\nimport not_installed_anywhere\n")
    refused(
        ewms(folder, "run", "workflow.toml", "--input", "numbers.jsonl", "--out", "out"),
        1,
        "not_installed_anywhere",
        "ewms resume",
    )
    folder.joinpath("work.py").write_text("def square(number):\n    return number * number\n")
    assert ewms(folder, "resume", "out").returncode == 0
    assert folder.joinpath("out/product/outcomes.jsonl").read_text() == '{"id":"0","output":1}\n{"id":"1","output":4}\n'


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_named_and_loses_nothing(folder: Path, small_disk: Path) -> None:
    folder.joinpath("numbers.jsonl").write_text("".join(f"{number}\n" for number in range(50000)))
    out = str(small_disk / "out")
    done = ewms(folder, "run", "workflow.toml", "--input", "numbers.jsonl", "--out", out)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert "is full" in done.stderr or "No space left" in done.stderr
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    assert ewms(folder, "resume", out).returncode == 0
    lines = (small_disk / "out" / "product" / "outcomes.jsonl").read_text().splitlines()
    assert (len(lines), lines[-1]) == (50000, '{"id":"49999","output":2499900001}')


def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    out = folder / "out"
    out.mkdir(mode=0o500)
    if out.joinpath("probe").parent.stat().st_uid == 0:
        pytest.skip("root may write everywhere")
    refused(ewms(folder, "run", "workflow.toml", "--input", "numbers.jsonl", "--out", "out"), 2, "out")

"""The command executor: files in, files out, no shell."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ewms.core.spec import ResourceSpec, TaskSpec
from ewms.core.wire import Failure, Kind

if TYPE_CHECKING:
    from tests.integration.pilot.conftest import Rig

Make = Callable[..., TaskSpec]
COPY = ("cp", "{{INFILE}}", "{{OUTFILE}}")


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


@pytest.mark.parametrize(
    ("body", "suffixes", "value"),
    [
        ("text", (".in", ".out"), "text"),
        (b"\x00\xff\xfe", (".bin", ".bin"), b"\x00\xff\xfe"),
        ({"a": [1, 2]}, (".json", ".json"), {"a": [1, 2]}),
        ("text", (".json", ".json"), "text"),
        ([1], (".json", ".txt"), "[1]"),
        ("[1]", (".txt", ".json"), [1]),
    ],
)
async def test_body_goes_through_files(
    rig: Rig, command_task: Make, body: Any, suffixes: tuple[str, str], value: Any
) -> None:
    task = command_task(*COPY, infile_suffix=suffixes[0], outfile_suffix=suffixes[1])
    assert await rig.run(task, body) == [value]


async def test_no_output_file_is_no_output(rig: Rig, command_task: Make) -> None:
    assert await rig.run(command_task("true"), "text") == [None]


async def test_arguments_are_not_for_a_shell(rig: Rig, command_task: Make) -> None:
    code = "import sys; open(sys.argv[2].partition('=')[2], 'w').write(sys.argv[1])"
    task = command_task(*python(code), "$HOME; `id` {{IN_FILE}}", "out={{OUT_FILE}}")
    (value,) = await rig.run(task, "text")
    assert value.startswith("$HOME; `id` /")
    assert value.endswith("/infile.in")


async def test_environment(rig: Rig, command_task: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EWMS_PILOT_QUEUE_INCOMING_AUTH_TOKEN", "secret")
    code = "import json, os, sys; json.dump([sys.argv[1:], dict(os.environ)], open(sys.argv[2], 'w'))"
    names = ("{{INFILE}}", "{{OUTFILE}}", "{{DATA_HUB}}", "{{DATAHUB}}")
    task = command_task(*python(code), *names, outfile_suffix=".json", environment={"FLAVOUR": "sweet"})
    ((arguments, environment),) = await rig.run(task, "text")
    names_in_environment = ("EWMS_TASK_INFILE", "EWMS_TASK_OUTFILE", "EWMS_TASK_DATA_HUB_DIR", "EWMS_TASK_DATA_HUB_DIR")
    assert [environment[name] for name in names_in_environment] == arguments
    assert environment["FLAVOUR"] == "sweet"
    assert environment["EWMS_TASK_NAME"] == "t"
    assert environment["EWMS_EVENT_ID"] == "e0"
    assert "secret" not in environment.values()


async def test_data_hub_is_shared_and_scratch_is_not(rig: Rig, command_task: Make) -> None:
    code = (
        "import os, sys; hub = sys.argv[2]; open(os.path.join(hub, str(os.getpid())), 'w'); open('left', 'x');"
        "open(sys.argv[1], 'w').write(f'{len(os.listdir(hub))} {os.path.dirname(sys.argv[1])}')"
    )
    first, second = await rig.run(command_task(*python(code), "{{OUTFILE}}", "{{DATA_HUB}}"), "a", "b")
    assert (first.split()[0], second.split()[0]) == ("1", "2")
    assert first.split()[1] != second.split()[1]
    assert not _exists(first.split()[1])
    assert await rig.end() == 0
    assert not _exists(os.path.dirname(first.split()[1]))


async def test_working_directory(rig: Rig, command_task: Make, tmp_path: Path) -> None:
    task = command_task(*python("import os, sys; open(sys.argv[1], 'w').write(os.getcwd())"), "{{OUTFILE}}")
    assert await rig.run(task, "text", working_directory=str(tmp_path)) == [str(tmp_path)]


@pytest.mark.parametrize(
    ("code", "reason", "exit_code"),
    [
        ("raise SystemExit(3)", "exit code 3: <no stderr logs>", 3),
        ("import sys; sys.exit('first\\nlast\\n\\n')", "exit code 1: last", 1),
        ("print('x'); raise ValueError('no luck')", "exit code 1: ValueError: no luck", 1),
        ("import os; os.kill(os.getpid(), 11)", "killed by SIGSEGV: <no stderr logs>", -11),
    ],
)
async def test_failure_says_why(rig: Rig, command_task: Make, code: str, reason: str, exit_code: int) -> None:
    (failure,) = await rig.run(command_task(*python(code)), "text")
    assert (failure.kind, failure.reason) == (Kind.FAILED, reason)
    assert failure.detail["exit_code"] == exit_code
    assert failure.detail["seconds"] > 0


async def test_okay_exit_codes(rig: Rig, command_task: Make) -> None:
    assert await rig.run(command_task("false", okay_exit_codes=(0, 1)), "text") == [None]


async def test_output_of_a_failure_is_its_own(rig: Rig, command_task: Make) -> None:
    code = "import sys; text = open(sys.argv[1]).read(); print(text); sys.exit(text == 'bad')"
    good, bad = await rig.run(command_task(*python(code), "{{INFILE}}"), "good", "bad")
    assert good is None
    assert bad.detail["stdout"] == "bad\n"


@pytest.mark.parametrize(
    ("body", "fields", "reason"),
    [
        ({"a": 1}, {}, "a body of type dict does not fit an input file '*.in'"),
        (b"\x00", {"infile_suffix": ".json"}, "a body of type bytes does not fit an input file '*.json'"),
        ("{", {"outfile_suffix": ".json"}, "the output file is not valid JSON"),
    ],
)
async def test_files_that_do_not_fit(rig: Rig, command_task: Make, body: Any, fields: dict[str, str], reason: str) -> None:
    (failure,) = await rig.run(command_task(*COPY, **fields), body)
    assert isinstance(failure, Failure)
    assert failure.kind is Kind.FAILED
    assert failure.reason.startswith(reason)


async def test_timeout_kills_the_whole_group(rig: Rig, command_task: Make, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = (
        "import subprocess, sys, time; child = subprocess.Popen(['sleep', '600']);"
        "open(sys.argv[1], 'w').write(str(child.pid)); time.sleep(600)"
    )
    slow, quick = await rig.run(command_task("sh", "{{INFILE}}", timeout=0.8), _script(code, pid_file), "true")
    assert slow.reason == "timed out after 0.8 s"
    assert quick is None
    await rig.until(lambda: not rig.is_running(int(pid_file.read_text())))


async def test_memory_limit(rig: Rig, command_task: Make) -> None:
    code = "import time; keep = bytearray(b'x' * (200 << 20)); time.sleep(60)"
    (failure,) = await rig.run(command_task(*python(code), resources=ResourceSpec(memory=100 << 20)), "text")
    assert failure.reason.startswith("killed at ")
    assert failure.reason.endswith("of 100 MiB")


async def test_drain_kills_the_command(rig: Rig, command_task: Make) -> None:
    await rig.send("text")
    pilot = rig.start(command_task("sleep", "600"), grace=0.1)
    await rig.until(lambda: "sleep" in rig.children().values())
    rig.stop.set()
    (outcome,) = (await rig.outcomes(1)).values()
    assert getattr(outcome, "kind", None) is Kind.RETURNED
    assert await pilot == 0
    assert not rig.children()


def _exists(path: str) -> bool:
    return Path(path).exists()


def _script(code: str, argument: Path) -> str:
    return f'exec "{sys.executable}" -c "{code}" "{argument}"\n'

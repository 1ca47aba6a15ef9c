"""Containers that are fed and read through files, one per event or kept up."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ewms.core.config import ContextFile
from ewms.core.spec import TaskSpec
from ewms.core.wire import Failure, Kind
from tests.support.containers import Engine

if TYPE_CHECKING:
    from tests.integration.pilot.conftest import Rig

Make = Callable[..., TaskSpec]
DOUBLE = "import sys; text = open(sys.argv[1]).read(); open(sys.argv[2], 'w').write(text * 2)"
COPY = "import shutil, sys; shutil.copyfile(sys.argv[1], sys.argv[2])"
FILES = ("{{INFILE}}", "{{OUTFILE}}")

warmth = pytest.mark.parametrize("warm", ["no", "files"])


@warmth
async def test_doubles_the_text_as_the_documentation_of_ewms_does(
    rig: Rig, engine: Engine, container_task: Make, warm: str
) -> None:
    task = container_task(engine, DOUBLE, *FILES, container={"warm": warm})
    assert await rig.run(task, "one", "two ") == ["oneone", "two two "]


@pytest.mark.parametrize(
    ("body", "suffixes", "value"),
    [(b"\x00\xff\xfe", (".bin", ".bin"), b"\x00\xff\xfe"), ({"a": [1]}, (".json", ".json"), {"a": [1]})],
)
async def test_ewms_4_5_bytes_and_objects_come_back(
    rig: Rig, podman: Engine, container_task: Make, body: Any, suffixes: tuple[str, str], value: Any
) -> None:
    task = container_task(podman, COPY, *FILES, infile_suffix=suffixes[0], outfile_suffix=suffixes[1])
    assert await rig.run(task, body) == [value]


@warmth
async def test_environment_is_the_tasks_alone(
    rig: Rig, engine: Engine, container_task: Make, warm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_PILOT", "hunter2")
    code = "import json, os, sys; json.dump([sys.argv[1:], dict(os.environ)], open(sys.argv[2], 'w'))"
    own = {"FLAVOUR": "sweet 'n' $sour", "EMPTY": ""}
    task = container_task(
        engine,
        code,
        *FILES,
        "{{DATA_HUB}}",
        "$HOME; `id`",
        outfile_suffix=".json",
        environment=own,
        container={"warm": warm},
    )
    ((arguments, environment),) = await rig.run(task, "text")
    names = ("EWMS_TASK_INFILE", "EWMS_TASK_OUTFILE", "EWMS_TASK_DATA_HUB_DIR")
    assert [environment[name] for name in names] == arguments[:3]
    assert arguments[3] == "$HOME; `id`"
    assert {name: environment[name] for name in own} == own
    assert (environment["EWMS_TASK_NAME"], environment["EWMS_EVENT_ID"]) == ("t", "e0")
    assert "hunter2" not in environment.values()


async def test_data_hub_holds_the_context(rig: Rig, engine: Engine, container_task: Make, tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_text("deep")
    code = "import os, sys; open(sys.argv[1], 'w').write(open(sys.argv[2] + '/table').read())"
    task = container_task(engine, code, "{{OUTFILE}}", "{{DATA_HUB}}")
    context = (ContextFile(name="table", path=str(path), sha256=hashlib.sha256(b"deep").hexdigest()),)
    assert await rig.run(task, "text", context=context) == ["deep"]


@warmth
async def test_sees_no_network_and_nothing_of_the_host(rig: Rig, engine: Engine, container_task: Make, warm: str) -> None:
    code = (
        "import os, socket, sys; names = [name for _, name in socket.if_nameindex()];"
        "print(*names, os.path.exists(sys.argv[1]), file=open(sys.argv[2], 'w'))"
    )
    task = container_task(engine, code, __file__, "{{OUTFILE}}", container={"warm": warm})
    assert await rig.run(task, "text") == ["lo False\n"]
    assert len(socket.if_nameindex()) > 1


async def test_mounts_are_read_only(rig: Rig, engine: Engine, container_task: Make, tmp_path: Path) -> None:
    (tmp_path / "given").write_text("read me")
    code = (
        "import sys; text = open('/given/given').read()\n"
        "try: open('/given/new', 'w')\n"
        "except OSError as error: text += f' {error.errno}'\n"
        "open(sys.argv[1], 'w').write(text)"
    )
    task = container_task(engine, code, "{{OUTFILE}}", container={"mounts": [f"{tmp_path}:/given"]})
    assert await rig.run(task, "text") == ["read me 30"]
    assert os.listdir(tmp_path) == ["given"]


@warmth
@pytest.mark.parametrize(
    ("code", "reason", "exit_code"),
    [
        ("raise SystemExit(3)", "exit code 3: <no stderr logs>", 3),
        ("print('x'); raise ValueError('no luck')", "exit code 1: ValueError: no luck", 1),
        ("import ctypes; ctypes.string_at(0)", "killed by SIGSEGV: <no stderr logs>", 139),
    ],
)
async def test_failure_says_why(
    rig: Rig, engine: Engine, container_task: Make, warm: str, code: str, reason: str, exit_code: int
) -> None:
    task = container_task(engine, code, container={"warm": warm})
    (failure,) = await rig.run(task, "text")
    assert (failure.kind, failure.reason) == (Kind.FAILED, reason)
    assert failure.detail["exit_code"] == exit_code


async def test_ewms_4_5_stdout_and_stderr_are_not_swapped(rig: Rig, engine: Engine, container_task: Make) -> None:
    (failure,) = await rig.run(container_task(engine, "import sys; print('out'); sys.exit('err')"), "text")
    assert failure.detail["stdout"] == "out\n"
    assert failure.detail["stderr"].endswith("err\n")


@warmth
async def test_no_output_file_is_no_output_unless_it_is_required(
    rig: Rig, podman: Engine, container_task: Make, warm: str
) -> None:
    code = "import sys; 'x' in open(sys.argv[1]).read() or open(sys.argv[2], 'w').write('y')"
    task = container_task(podman, code, *FILES, container={"warm": warm, "output_required": True})
    missing, there = await rig.run(task, "x", "y")
    assert there == "y"
    assert missing.reason.startswith("the container has not written its output file; have it write to {{OUTFILE}}")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("open(sys.argv[1], 'w').truncate(5 << 20)", "the output file has 5242880 bytes, more than the broker's limit of"),
        ("os.symlink('/etc/passwd', sys.argv[1])", "the output file is no regular file; write the output itself"),
        ("os.mkfifo(sys.argv[1])", "the output file is no regular file; write the output itself"),
    ],
)
async def test_output_that_cannot_be_taken(rig: Rig, podman: Engine, container_task: Make, code: str, reason: str) -> None:
    (failure,) = await rig.run(container_task(podman, f"import os, sys; {code}", "{{OUTFILE}}"), "text")
    assert isinstance(failure, Failure)
    assert failure.reason.startswith(reason)


async def test_memory_limit_of_podman(
    rig: Rig, podman: Engine, container_task: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = "keep = bytearray(b'x' * (300 << 20))"
    (failure,) = await rig.run(container_task(podman, code, resources={"memory": "100 MiB"}), "text")
    assert failure.reason.startswith("killed, it seems at its memory limit of 100 MiB")
    assert not os.listdir(tmp_path)


async def test_memory_limit_of_apptainer(rig: Rig, apptainer: Engine, container_task: Make) -> None:
    code = "import time; keep = bytearray(b'x' * (300 << 20)); time.sleep(60)"
    (failure,) = await rig.run(container_task(apptainer, code, resources={"memory": "100 MiB"}), "text")
    assert failure.reason.startswith("killed at ")
    assert failure.reason.endswith(" of 100 MiB")


async def test_a_warm_container_is_one_container(rig: Rig, engine: Engine, container_task: Make) -> None:
    code = (
        "import os, sys; open('/tmp/seen', 'a').write('x');"
        "open(sys.argv[1], 'w').write(open('/tmp/seen').read() + ' ' + os.environ['EWMS_EVENT_ID'])"
    )
    task = container_task(engine, code, "{{OUTFILE}}", container={"warm": "files"})
    assert await rig.run(task, *"abc") == ["x e0", "xx e1", "xxx e2"]


@warmth
async def test_arguments_may_hold_anything(rig: Rig, podman: Engine, container_task: Make, warm: str) -> None:
    odd = ["two\nlines", "it's", '"', "", "ä", "$(id)", "\\"]
    code = "import json, sys; json.dump(sys.argv[2:], open(sys.argv[1], 'w'))"
    task = container_task(podman, code, "{{OUTFILE}}", *odd, outfile_suffix=".json", container={"warm": warm})
    assert await rig.run(task, "text") == [odd]

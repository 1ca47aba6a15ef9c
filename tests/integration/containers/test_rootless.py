"""A pilot that is not root: uid 1000 in a user namespace, as far as the tools can tell a user of the machine."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ewms.core.spec import TaskSpec
from tests.support.containers import Engine

Make = Callable[..., TaskSpec]
USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
DOUBLE = """
import sys
with open(sys.argv[1]) as given, open(sys.argv[2], "w") as taken, open("/proc/net/dev") as devices:
    names = sorted(line.split(":")[0].strip() for line in devices if ":" in line)
    taken.write(given.read() * 2 + " " + ",".join(names))
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Variables of somebody with a home and a runtime folder of their own; what podman keeps running for them is ended."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    yield {**os.environ, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    for path in folder.rglob("pause.pid"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(path.read_text()), signal.SIGKILL)


def folder_image(apptainer: Engine, tool: str) -> Engine:
    """The sandbox folder, which both tools can run; images of root's podman are not a user's."""
    return apptainer._replace(tool=tool)


@pytest.mark.parametrize("warm", ["no", "files"])
@pytest.mark.parametrize("tool", ["apptainer", "podman"])
def test_containers_without_root(
    tool: str,
    warm: str,
    apptainer: Engine,
    container_task: Make,
    tmp_path: Path,
    home: dict[str, str],
    request: pytest.FixtureRequest,
) -> None:
    request.getfixturevalue(tool)
    engine = folder_image(apptainer, tool)
    task = container_task(engine, DOUBLE, "{{INFILE}}", "{{OUTFILE}}", container={"warm": warm})
    scratch = tmp_path / "scratch"
    (scratch / "hub").mkdir(parents=True)
    script = Path(__file__).with_name("one_event.py")
    argv = [*USER, sys.executable, str(script), task.model_dump_json(), str(scratch)]
    done = subprocess.run(argv, env=home, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == "slowslow lo\n"
    assert [path.name for path in (scratch).rglob("outfile*")] == []

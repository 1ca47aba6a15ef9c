"""Images of all kinds, fetched once, and what is said of those that cannot be run."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ewms.core.spec import TaskSpec
from ewms.core.wire import Failure, Kind
from tests.support.containers import Engine

if TYPE_CHECKING:
    from tests.integration.pilot.conftest import Rig

Make = Callable[..., TaskSpec]
SCRIPT = ("/bin/sh", "-c", 'read -r text <"$1"; echo "$text$text" >"$2"', "sh", "{{INFILE}}", "{{OUTFILE}}")


def shell_task(image: str, tool: str, **container: Any) -> TaskSpec:
    """A task that needs a shell alone."""
    table = {"image": image, "tool": tool, "arguments": SCRIPT} | container
    return TaskSpec.model_validate({"name": "t", "input": "in", "output": "out", "container": table})


@pytest.fixture(scope="session")
def archive(podman: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A docker archive of the image with a shell alone."""
    path = tmp_path_factory.mktemp("archive") / "shell.tar"
    argv = ["podman", "save", "--quiet", "--format", "docker-archive", "--output", str(path), podman.shell]
    subprocess.run(argv, check=True, capture_output=True)
    return path


async def test_folder_by_podman(rig: Rig, podman: Engine, apptainer: Engine) -> None:
    assert await rig.run(shell_task(apptainer.shell, podman.tool), "ab") == ["abab\n"]


@pytest.fixture
def sif(apptainer: Engine, tmp_path: Path) -> Path:
    """An image in one file."""
    path = tmp_path / "shell.sif"
    subprocess.run(["apptainer", "build", str(path), apptainer.shell], check=True, capture_output=True)
    return path


@pytest.mark.parametrize("warm", ["no", "files"])
async def test_sif_by_apptainer(rig: Rig, sif: Path, warm: str) -> None:
    task = shell_task(sif.name, "auto", warm=warm)
    assert await rig.run(task, "ab", working_directory=str(sif.parent)) == ["abab\n"]


async def test_archive_by_podman(rig: Rig, podman: Engine, archive: Path) -> None:
    assert await rig.run(shell_task(str(archive), podman.tool), "ab") == ["abab\n"]


async def test_archive_becomes_a_folder_once(rig: Rig, apptainer: Engine, archive: Path, tmp_path: Path) -> None:
    ids = await rig.send(*"abcd", singly=True)
    rig.start(shell_task(str(archive), apptainer.tool), slots=2, scratch=str(tmp_path))
    assert await rig.values(ids) == ["aa\n", "bb\n", "cc\n", "dd\n"]
    assert len(_folders(tmp_path)) == 1


async def test_init_runs_once_per_pilot(rig: Rig, engine: Engine) -> None:
    make, show = 'echo "$FLAVOUR" >>"$1/made"', 'while read -r line; do echo "$line"; done <"$1/made" >"$2"'
    init = {"arguments": ("/bin/sh", "-c", make, "sh", "{{DATA_HUB}}"), "environment": {"FLAVOUR": "x"}}
    arguments = ("/bin/sh", "-c", show, "sh", "{{DATA_HUB}}", "{{OUTFILE}}")
    ids = await rig.send(*"abc", singly=True)
    rig.start(shell_task(engine.shell, engine.tool, arguments=arguments, init=init), slots=2)
    assert await rig.values(ids) == ["x\n"] * 3


@pytest.mark.parametrize(
    ("init", "reason"),
    [
        ({"arguments": ("/bin/sh", "-c", "echo broken >&2; exit 3")}, "exit code 3: broken"),
        ({"arguments": ("/bin/sh", "-c", "while :; do :; done"), "timeout": 1.0}, "timed out after 1 s"),
    ],
)
async def test_ewms_4_2_init_that_fails_ends_the_pilot(rig: Rig, engine: Engine, init: dict[str, Any], reason: str) -> None:
    await _cannot_run(rig, shell_task(engine.shell, engine.tool, init=init), f"the init container failed: {reason}")


async def test_ewms_4_5_an_image_that_is_not_here_is_pulled(rig: Rig, podman: Engine) -> None:
    """There is no registry to pull from; that it was asked shows in what is said."""
    image = "127.0.0.1:9/nobody/nothing:1"
    await _cannot_run(rig, shell_task(image, podman.tool), f"image {image} cannot be pulled: ")


programs = pytest.mark.parametrize(
    ("program", "reason"), [("/nowhere", "no such file or directory"), ("/etc/passwd", "permission denied")]
)


@programs
@pytest.mark.parametrize("warm", ["no", "lines"])
async def test_program_that_cannot_be_run(rig: Rig, engine: Engine, warm: str, program: str, reason: str) -> None:
    task = shell_task(engine.shell, engine.tool, arguments=(program,), warm=warm)
    await _cannot_run(rig, task, f"image {engine.shell} cannot be run by {engine.tool}: ", reason)


@programs
async def test_shell_tells_of_a_program_that_cannot_be_run(rig: Rig, engine: Engine, program: str, reason: str) -> None:
    (failure,) = await rig.run(shell_task(engine.shell, engine.tool, arguments=(program,), warm="files"), "ab")
    assert failure.reason.lower().endswith((reason, f"{program}: not found"))


async def test_warm_needs_a_shell(rig: Rig, engine: Engine, apptainer: Engine, tmp_path: Path) -> None:
    shutil.copytree(apptainer.shell, tmp_path / "root")
    (tmp_path / "root/bin/sh").unlink()
    await _cannot_run(rig, shell_task(str(tmp_path / "root"), engine.tool, warm="files"), "needs /bin/sh in the image")


@pytest.mark.parametrize(("kind", "machine"), [(183, "arm64"), (22, "s390x")])
async def test_wrong_architecture(
    rig: Rig, engine: Engine, apptainer: Engine, tmp_path: Path, kind: int, machine: str
) -> None:
    shutil.copytree(apptainer.shell, tmp_path / "root")
    program = tmp_path / "root/bin/sh"
    content = bytearray(program.read_bytes())
    content[18:20] = kind.to_bytes(2, "little")
    program.write_bytes(content)
    image = str(tmp_path / "root")
    await _cannot_run(rig, shell_task(image, engine.tool), f"image {image} is for {machine} machines, this one is ")


async def test_mount_that_leads_into_the_forbidden(rig: Rig, podman: Engine, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/run")
    task = shell_task(podman.shell, podman.tool, mounts=[str(tmp_path / "link")])
    await _cannot_run(rig, task, "it leads to /run: mount of /run is forbidden")


async def test_tool_that_is_not_installed(rig: Rig, podman: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    reason = f"image {podman.shell} cannot be run here: podman is not installed"
    await _cannot_run(rig, shell_task(podman.shell, "podman"), reason)


def _folders(scratch: Path) -> list[Path]:
    return [path for path in scratch.glob("ewms-images-*/*") if path.is_dir()]


async def _cannot_run(rig: Rig, task: TaskSpec, *reasons: str) -> None:
    """Expect that the pilot gives the event back with that reason in one line, and ends."""
    await rig.send("ab")
    pilot = rig.start(task)
    (outcome,) = (await rig.outcomes(1)).values()
    assert isinstance(outcome, Failure)
    assert outcome.kind is Kind.RETURNED
    assert "\n" not in outcome.reason
    for reason in reasons:
        assert reason in outcome.reason
    assert await pilot == 4


@pytest.fixture(scope="session")
def with_entry_point(podman: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A docker archive of an image that has an entry point."""
    path = tmp_path_factory.mktemp("entry") / "entry.tar"
    name = f"{podman.shell}-entry"
    change = 'ENTRYPOINT ["/bin/sh", "-c", "echo \\"$1\\" >\\"$2\\"", "sh"]'
    made = subprocess.run(["podman", "create", podman.shell, "/bin/sh"], check=True, capture_output=True, text=True)
    subprocess.run(["podman", "commit", "-q", "-c", change, made.stdout.strip(), name], check=True, capture_output=True)
    subprocess.run(["podman", "rm", made.stdout.strip()], check=True, capture_output=True)
    argv = ["podman", "save", "--quiet", "--format", "docker-archive", "--output", str(path), name]
    subprocess.run(argv, check=True, capture_output=True)
    return path


@pytest.mark.parametrize("warm", ["no", "files"])
async def test_entry_point_gets_arguments_as_they_are(
    rig: Rig, engine: Engine, with_entry_point: Path, warm: str, tmp_path: Path
) -> None:
    odd = 'a  "b" $HOME `id`'
    task = shell_task(str(with_entry_point), engine.tool, arguments=(odd, "{{OUTFILE}}"), warm=warm)
    ids = await rig.send("ab")
    rig.start(task, scratch=str(tmp_path))
    assert await rig.values(ids) == [f"{odd}\n"]

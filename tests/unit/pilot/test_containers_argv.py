"""The command lines by which each tool is called, without calling one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ewms.core.container import ContainerSpec, Mount
from ewms.core.errors import ConsumerError
from ewms.core.spec import ResourceSpec
from ewms.pilot.containers.apptainer import ApptainerTool
from ewms.pilot.containers.base import Launch, Tool
from ewms.pilot.containers.calls import Said
from ewms.pilot.containers.docker import DockerTool
from ewms.pilot.containers.podman import PodmanTool
from ewms.pilot.containers.tools import tool_for

MOUNTS = (Mount("/scratch/1", "/ewms/task-io", writable=True), Mount("/data", "/data"))


def launch(image: str = "sha256:1", **changes: object) -> Launch:
    fields: dict[str, object] = {
        "name": "ewms-1-2",
        "owner": "ewms-1",
        "image": image,
        "arguments": ("run", "$HOME"),
        "environment_file": "/scratch/environment",
        "variables": {"EWMS_EVENT_ID": "e0"},
        "mounts": MOUNTS,
        "network": False,
        "resources": ResourceSpec(cpus=2, memory=1 << 30, gpus=1),
    }
    return Launch(**fields | changes)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)


@pytest.mark.parametrize(("tool", "gpus"), [(DockerTool, "--gpus 1"), (PodmanTool, "--device nvidia.com/gpu=all")])
def test_docker_and_podman(tool: type[Tool], gpus: str) -> None:
    assert " ".join(tool("/bin/x").command(launch())) == (
        "/bin/x run --rm --name ewms-1-2 --label ewms.pilot=ewms-1 --log-driver none --security-opt label=disable "
        "--env-file /scratch/environment --env EWMS_EVENT_ID=e0 "
        "--mount type=bind,source=/scratch/1,target=/ewms/task-io --mount type=bind,source=/data,target=/data,readonly "
        f"--network none --cpus 2 --memory=1073741824 --memory-swap=1073741824 {gpus} sha256:1 run $HOME"
    )


def test_docker_without_root_writes_files_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("os.getegid", lambda: 100)
    assert "--user 1000:100" in " ".join(DockerTool("docker").command(launch()))
    assert "--user" not in PodmanTool("podman").command(launch())


def test_podman_runs_a_folder_without_changing_it() -> None:
    assert PodmanTool("podman").command(launch("/images/root"))[-4:] == ["--rootfs", "/images/root:O", "run", "$HOME"]


def test_apptainer() -> None:
    assert " ".join(ApptainerTool("/bin/apptainer").command(launch("/images/root"))) == (
        "/bin/apptainer exec --containall --no-eval --env-file /scratch/environment --env EWMS_CONTAINER=ewms-1-2 "
        "--env SINGULARITY_NO_EVAL=1 --env EWMS_EVENT_ID=e0 "
        "--mount type=bind,source=/scratch/1,destination=/ewms/task-io --mount type=bind,source=/data,destination=/data,ro "
        "--net --network none --nv /images/root run $HOME"
    )


@pytest.mark.parametrize("tool", [DockerTool, PodmanTool, ApptainerTool])
def test_network_on_request(tool: type[Tool]) -> None:
    assert not {"--network", "--net"} & set(tool("x").command(launch(network=True)))


@pytest.mark.parametrize("tool", [DockerTool, PodmanTool, ApptainerTool])
def test_in_the_shell(tool: type[Tool]) -> None:
    argv = tool("x").command(launch(arguments=("-c", "true"), in_shell=True, interactive=True))
    assert "/bin/sh" in argv
    assert argv[-2:] == ["-c", "true"]


@pytest.mark.parametrize("tool", [DockerTool, PodmanTool, ApptainerTool])
def test_no_secret_is_in_the_arguments(tool: type[Tool]) -> None:
    assert "hunter2" in tool("x").environment_text({"TOKEN": "hunter2"})


@pytest.mark.parametrize(
    ("tool", "said", "reason"),
    [
        (DockerTool, Said(127, "", "docker: Error response from daemon: no such program"), "no such program"),
        (DockerTool, Said(127, "", "sh: x: not found"), None),
        (PodmanTool, Said(125, "", "Error: name is in use"), "name is in use"),
        (PodmanTool, Said(1, "", "Error: of the program"), None),
        (ApptainerTool, Said(255, "", "INFO: x\nFATAL:   no such file\n"), "no such file"),
        (ApptainerTool, Said(255, "", "ValueError"), None),
    ],
)
def test_refusals_of_the_tool_are_told_from_ends_of_the_container(tool: type[Tool], said: Said, reason: str | None) -> None:
    assert tool("x").refusal(said) == reason


def test_chatter_of_apptainer_is_no_error() -> None:
    tool = ApptainerTool("x")
    assert tool.cleaned("WARNING: no passwd\nINFO:    x\nValueError: y\n") == "ValueError: y"
    assert tool.cleaned("INFO:    x\nFATAL:   y\n") == "INFO:    x\nFATAL:   y\n"


def test_the_tool_is_the_first_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("podman", "docker"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tool_for(ContainerSpec(image="a")).name == "podman"
    assert tool_for(ContainerSpec(image="a", tool="docker")).program == str(tmp_path / "docker")
    with pytest.raises(ConsumerError, match=r"apptainer is not installed, podman cannot run a \.sif image, docker cannot"):
        tool_for(ContainerSpec(image="./a.sif"))
    with pytest.raises(ConsumerError, match="docker cannot run a sandbox folder"):
        tool_for(ContainerSpec(image="./a", tool="docker"))

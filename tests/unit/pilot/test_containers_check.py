"""What is found wrong with a container task before anything runs."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from ewms.core.container import ContainerSpec
from ewms.core.errors import ConsumerError
from ewms.pilot.containers import image as images
from ewms.pilot.containers.check import check_here

ELF = b"\x7fELF" + bytes(14)
SIF = b"#!/usr/bin/env run-singularity\n\0" + b"SIF_MAGIC\0" + b"01\0"


@pytest.fixture(autouse=True)
def _tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/apptainer").write_text("#!/bin/sh\n")
    (tmp_path / "bin/apptainer").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


def folder(path: Path, machine: int) -> None:
    (path / "bin").mkdir(parents=True)
    (path / "bin/sh").write_bytes(ELF + machine.to_bytes(2, "little"))


def archive(path: Path, architecture: str) -> None:
    configuration = json.dumps({"architecture": architecture}).encode()
    with tarfile.open(path, "w") as tar:
        for name, content in (("manifest.json", b'[{"Config": "c.json"}]'), ("c.json", configuration)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def test_what_is_right_passes(tmp_path: Path) -> None:
    folder(tmp_path / "root", 62)
    archive(tmp_path / "a.tar", "amd64")
    (tmp_path / "a.sif").write_bytes(SIF + b"02\0")
    for image in ("./root", "a.tar", "a.sif", "somebody/something:1"):
        check_here(ContainerSpec(image=image, mounts=(str(tmp_path),)), str(tmp_path), "w")
    assert images.described(str(tmp_path / "a.tar")).identity


@pytest.mark.parametrize(
    ("image", "telling"),
    [
        ("./none", "there is no image {}/none; correct the path"),
        ("none.sif", "there is no image {}/none.sif"),
        ("./arm", "image {}/arm is for arm64 machines, this one is amd64; build it for amd64"),
        ("arm.sif", "image {}/arm.sif is for arm64 machines"),
        ("arm.tar", "image {}/arm.tar is for arm64 machines"),
        ("text.sif", "{}/text.sif is no .sif image"),
        ("short.sif", "{}/short.sif cannot be read as a .sif image"),
        ("text.tar", "{}/text.tar is no docker archive of one image"),
    ],
)
def test_wrong_images(tmp_path: Path, image: str, telling: str) -> None:
    folder(tmp_path / "arm", 183)
    archive(tmp_path / "arm.tar", "arm64")
    (tmp_path / "arm.sif").write_bytes(SIF + b"04\0")
    (tmp_path / "short.sif").write_bytes(b"x")
    for name in ("text.sif", "text.tar"):
        (tmp_path / name).write_text("nothing of the kind" * 10)
    with pytest.raises(ConsumerError) as caught:
        check_here(ContainerSpec(image=image), str(tmp_path), "w: task 't'")
    assert str(caught.value).startswith(f"w: task 't': {telling.format(tmp_path)}")
    assert "\n" not in str(caught.value)


def test_missing_folder_of_a_mount(tmp_path: Path) -> None:
    with pytest.raises(ConsumerError, match="there is no folder /nowhere on this host"):
        check_here(ContainerSpec(image="a", mounts=("/nowhere",)), str(tmp_path), "w")


def test_missing_tool(tmp_path: Path) -> None:
    with pytest.raises(ConsumerError, match="w: image a cannot be run here: podman is not installed"):
        check_here(ContainerSpec(image="a", tool="podman"), str(tmp_path), "w")

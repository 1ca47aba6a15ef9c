"""The worked example: a reconstruction from another package, in Python and as a program."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "planewave"
SCANNER = Path(sys.executable).with_name("skymap-scanner")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """As if the example were installed."""
    project = tomllib.loads(EXAMPLE.joinpath("pyproject.toml").read_text())["project"]
    distribution = tmp_path / "site" / "planewave-1.0.dist-info"
    distribution.mkdir(parents=True)
    distribution.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: planewave\nVersion: 1.0\n")
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in project["entry-points"].items()
    ]
    distribution.joinpath("entry_points.txt").write_text("\n".join(groups))
    return os.environ | {"PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{EXAMPLE}"}


def call(folder: Path, environment: dict[str, str], *arguments: str, expected: int = 0) -> str:
    done = subprocess.run(
        [SCANNER, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout + done.stderr


def scanned(folder: Path, environment: dict[str, str], reco: str) -> dict[str, np.ndarray]:
    """The pixels by nside."""
    options = ("--reco", reco, "--nsides", "1:0,2:3", "--no-plots", "--out", reco, "--workers", "2")
    call(folder, environment, "scan", "event.json", *options)
    (path,) = (folder / reco / "product").glob("*.npz")
    with np.load(path) as levels:
        return {name: levels[name] for name in levels.files if name.startswith("nside-")}


def test_python_and_program_find_the_same(tmp_path: Path, environment: dict[str, str]) -> None:
    direction = ("--zenith", "70", "--azimuth", "200", "--energy", "1e5", "--seed", "3")
    call(tmp_path, environment, "simulate", *direction, "--out", "event.json")
    python, program = (scanned(tmp_path, environment, reco) for reco in ("planewave", "planewave_awk"))
    assert list(python) == list(program) == ["nside-1", "nside-2"]
    for name, pixels in python.items():
        assert pixels["index"].tolist() == program[name]["index"].tolist()
        assert pixels["llh"] == pytest.approx(program[name]["llh"], rel=1e-9)
        assert pixels["T"] == pytest.approx(program[name]["T"], rel=1e-9)
    assert python["nside-1"]["llh"].min() < np.median(python["nside-1"]["llh"]) / 3


def test_programs_have_names_like_all_others(tmp_path: Path, environment: dict[str, str]) -> None:
    call(tmp_path, environment, "simulate", "--zenith", "70", "--azimuth", "200", "--out", "event.json")
    said = call(tmp_path, environment, "scan", "event.json", "--reco", "planewave_ak", expected=2)
    assert "did you mean 'planewave_awk'?" in said
    assert said.count("\n") == 1

"""What tests of the examples share: their commands as a user types them, and the story of an input that was broken."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path


def ewms(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    argv = [Path(sys.executable).with_name("ewms"), *arguments]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=100, check=False)


def check_refused(folder: Path, example: Path, arguments: list[str], complaint: str) -> None:
    """Wrong parameters or inputs are told in one line."""
    run = ewms(folder, "run", example, "--out", "out", *arguments)
    assert run.returncode not in {0, 3}
    assert complaint in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1, run.stderr


def check_replay(folder: Path, example: Path, good: Path, broken: Path, *settings: str) -> None:
    """A broken file is named in the report; put right and replayed it counts, and workers change nothing."""
    inputs = folder / "inputs"
    inputs.mkdir()
    shutil.copy(good, inputs)
    (inputs / broken.name).write_bytes(b"the disk was full")

    run = ewms(folder, "run", example, "--input", "inputs", "--out", "out", *settings)
    assert run.returncode == 3, run.stderr
    report = folder / "out" / "product" / "report.json"
    assert [missing["name"] for missing in json.loads(report.read_text())["missing"]] == [f"inputs/{broken.name}"]

    shutil.copy(broken, inputs)
    replay = ewms(folder, "dead-letters", "replay", "out")
    assert replay.returncode == 0, replay.stderr
    assert json.loads(report.read_text())["missing"] == []

    anew = ewms(folder, "run", example, "--input", "inputs", "--out", "anew", "--workers", "1", *settings)
    assert anew.returncode == 0, anew.stderr
    for path in report.parent.iterdir():
        assert path.read_bytes() == (folder / "anew" / "product" / path.name).read_bytes()

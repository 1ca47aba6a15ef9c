"""`skymap-scanner coverage` as a user runs it, on a real broker and pilots."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = str(Path(sys.executable).with_name("skymap-scanner"))


def scanner(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, timeout=280, check=False)


def test_a_study_of_a_few_events(tmp_path: Path) -> None:
    ended = scanner(tmp_path, "coverage", "--events", "4", "--out", "study", "--workers", "2")
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert [line.split(" %")[0] for line in lines[:5]] == [
        "wilks 50",
        "wilks 90",
        "wilks 99.73",
        "calibrated 50",
        "calibrated 90",
    ]
    assert " of 4 inside, " in lines[0]
    assert lines[-1].endswith(" degrees; files in study/product")
    product = tmp_path / "study" / "product"
    assert {path.name for path in product.iterdir()} == {"coverage.json", "coverage.png", "events.jsonl", "levels.json"}
    assert json.loads((product / "coverage.json").read_text())["seeds"] == [0, 3]
    again = scanner(tmp_path, "coverage", "--events", "4", "--out", "study", "--resume")
    assert again.returncode == 0, again.stderr
    assert again.stdout == ended.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--events", "0"], "error: events is 0; a study takes at least one"),
        (["--events", "many"], "error: Invalid value for '--events': 'many' is not a valid integer"),
        (["--seed", "-5"], "error: seed -5 is out of range"),
        (["--reco", "mpr"], "error: reconstruction 'mpr' is unknown; did you mean 'mpe'?"),
        (["--reco", "cascade"], "error: coverage cannot be measured for reco 'cascade'"),
        (["--workers", "0"], "error: "),
    ],
)
def test_wrong_input_gets_one_line(tmp_path: Path, arguments: list[str], words: str) -> None:
    ended = scanner(tmp_path, "coverage", *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith(words)
    assert ended.stderr.count("\n") == 1

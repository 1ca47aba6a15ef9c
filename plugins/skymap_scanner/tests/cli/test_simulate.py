"""`skymap-scanner simulate` and `coverage` as a user runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from skymap_scanner.reading import load_alert

PROGRAM = str(Path(sys.executable).with_name("skymap-scanner"))


def scanner(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, timeout=100, check=False)


def test_an_event_is_written_and_can_be_read(tmp_path: Path) -> None:
    ended = scanner(tmp_path, "simulate", "--zenith", "80", "--azimuth", "210", "--energy", "1e5", "--seed", "3")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("event-3.json: track of 100000 GeV, ")
    alert = load_alert(tmp_path / "event-3.json")
    assert alert.truth is not None
    assert alert.truth.kind == "track"
    assert not alert.header.is_real


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--zenith", "181", "--azimuth", "0"], "error: zenith 181 degrees is out of range"),
        (["--zenith", "1", "--azimuth", "0", "--kind", "muon"], "error: kind 'muon' is unknown"),
        (["--zenith", "1", "--azimuth", "0", "--out", "no/such/folder"], "error: no/such/folder cannot be written"),
        (["--azimuth", "0"], "error: Missing option '--zenith'"),
        (["--zenith", "up", "--azimuth", "0"], "error: Invalid value for '--zenith': 'up' is not a valid float"),
    ],
)
def test_wrong_input_gets_one_line(tmp_path: Path, arguments: list[str], words: str) -> None:
    ended = scanner(tmp_path, "simulate", *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith(words)
    assert ended.stderr.count("\n") == 1


def test_a_study_of_a_few_events(tmp_path: Path) -> None:
    ended = scanner(tmp_path, "coverage", "--events", "4", "--out", "study", "--workers", "2")
    assert ended.returncode == 0, ended.stderr
    assert "wilks 90 %: " in ended.stdout
    assert "of 4 inside" in ended.stdout
    report = json.loads((tmp_path / "study" / "product" / "coverage.json").read_text())
    assert report["seeds"] == [0, 3]
    assert (tmp_path / "study" / "product" / "coverage.png").read_bytes().startswith(b"\x89PNG")

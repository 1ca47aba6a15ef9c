"""`skymap-scanner simulate` as a user runs it."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from skymap_scanner.reading import load_alert, native
from skymap_scanner.simulation import simulate

PROGRAM = str(Path(sys.executable).with_name("skymap-scanner"))


def scanner(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, timeout=280, check=False)


def test_an_event_is_written_and_can_be_read(tmp_path: Path) -> None:
    ended = scanner(tmp_path, "simulate", "--zenith", "80", "--azimuth", "210", "--energy", "1e5", "--seed", "3")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("event-3.json: track of 100000 GeV, ")
    expected = simulate("track", math.radians(80), math.radians(210), 1e5, 3)
    assert native.dumps(load_alert(tmp_path / "event-3.json")) == native.dumps(expected)


def test_kind_time_and_file_can_be_chosen(tmp_path: Path) -> None:
    arguments = ["--zenith", "0", "--azimuth", "360", "--kind", "cascade", "--mjd", "60000.5", "--out", "shower.json"]
    ended = scanner(tmp_path, "simulate", *arguments)
    assert ended.returncode == 0, ended.stderr
    alert = load_alert(tmp_path / "shower.json")
    assert alert.truth is not None
    assert (alert.truth.kind, alert.header.mjd) == ("cascade", 60_000.5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--zenith", "181", "--azimuth", "0"], "error: zenith 181 degrees is out of range"),
        (["--zenith", "nan", "--azimuth", "0"], "error: zenith nan degrees is out of range"),
        (["--zenith", "1", "--azimuth", "0", "--energy", "1e9"], "error: energy 1e+09 GeV is out of range"),
        (["--zenith", "1", "--azimuth", "0", "--mjd", "nan"], "error: mjd nan is out of range"),
        (["--zenith", "1", "--azimuth", "0", "--seed", "-1"], "error: seed -1 is out of range"),
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
    assert not list(tmp_path.iterdir())

"""`skymap-scanner compare`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from skymap_scanner.cli.compare import compare
from skymap_scanner.errors import EventError
from skymap_scanner.outputs.skyreader import to_json, to_npz
from skymap_scanner.result import ScanResult


@pytest.fixture
def scans(make_scan: Callable[..., ScanResult], tmp_path: Path) -> dict[str, str]:
    one, other = make_scan(57.3, 17.2), make_scan(58.3, 17.2, nsides=((8, 0), (64, 12)))
    (tmp_path / "one.json").write_text(to_json(one))
    (tmp_path / "one.npz").write_bytes(to_npz(one))
    (tmp_path / "other.json").write_text(to_json(other))
    return {path.name: str(path) for path in tmp_path.iterdir()}


def test_same_scan_in_two_formats(scans: dict[str, str]) -> None:
    done = CliRunner().invoke(compare, [scans["one.json"], scans["one.npz"]])
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert lines[0] == "nside 8: 768 pixels in both, all close"
    assert lines[-1] == "A and B agree"


def test_different_scans(scans: dict[str, str]) -> None:
    done = CliRunner().invoke(compare, [scans["one.json"], scans["other.json"]])
    assert done.exit_code == 1
    assert "nside 512: only in A" in done.output
    assert "llh of" in done.output
    assert "degrees apart" in done.output
    assert done.output.splitlines()[-1] == "A and B differ"


def test_json(scans: dict[str, str]) -> None:
    done = CliRunner().invoke(compare, [scans["one.json"], scans["other.json"], "--json"])
    document = json.loads(done.output)
    assert done.exit_code == 1
    assert document["close"] is False
    assert document["levels_only_first"] == [512]
    assert document["separation"] == pytest.approx(0.95, abs=0.7)
    assert set(document["levels"]) == {"8", "64"}


def test_missing_file(scans: dict[str, str]) -> None:
    done = CliRunner().invoke(compare, [scans["one.json"], "nowhere.json"])
    assert isinstance(done.exception, EventError)

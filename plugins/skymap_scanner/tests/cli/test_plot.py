"""`skymap-scanner plot`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from skymap_scanner.cli.plot import plot
from skymap_scanner.errors import EventError, ScanError
from skymap_scanner.outputs.skyreader import to_json
from skymap_scanner.result import ScanResult


@pytest.fixture
def scan(make_scan: Callable[..., ScanResult], tmp_path: Path) -> Path:
    path = tmp_path / "scan.json"
    path.write_text(to_json(make_scan(57.3, 17.2, nsides=((8, 0), (64, 12)))))
    return path


def test_pictures_are_written_and_named(scan: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(plot, [str(scan), "--out", str(tmp_path / "new" / "folder"), "--format", "png"])
    assert done.exit_code == 0, done.output
    base = "run00138632.evt000031747601.gold_8_64"
    written = sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
    assert written == [f"{base}.fullsky.png", f"{base}.zoomed.png"]
    assert [Path(line).name for line in done.output.splitlines()] == written


def test_maps_on_request(scan: Path, tmp_path: Path) -> None:
    arguments = [str(scan), "--out", str(tmp_path), "--format", "svg", "--maps", "--flat", "--floor", "2", "--mirror"]
    done = CliRunner().invoke(plot, [*arguments, "--radius", "5"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "best_fit.json").exists()
    assert len(list(tmp_path.glob("*.fits.gz"))) == 2
    assert '"dec": -17' in (tmp_path / "best_fit.json").read_text()


def test_unknown_format_names_the_known_ones(scan: Path) -> None:
    done = CliRunner().invoke(plot, [str(scan), "--format", "png,jpeg"])
    assert isinstance(done.exception, ScanError)
    assert str(done.exception) == "--format jpeg: not a format of pictures; choose of png, pdf, svg"


@pytest.mark.parametrize("arguments", [["--radius", "0"], ["--radius", "200"], ["--floor", "-1"]])
def test_angles_out_of_range(scan: Path, arguments: list[str]) -> None:
    assert CliRunner().invoke(plot, [str(scan), *arguments]).exit_code == 2


def test_folder_that_cannot_be_written(scan: Path) -> None:
    done = CliRunner().invoke(plot, [str(scan), "--format", "png", "--out", str(scan / "inside a file")])
    assert isinstance(done.exception, ScanError)
    assert "Not a directory" in str(done.exception)


def test_file_that_is_no_result(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    done = CliRunner().invoke(plot, [str(tmp_path / "a.json")])
    assert isinstance(done.exception, EventError)

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path


def ewms(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("ewms"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_a_broken_tile_is_replaced_and_replayed_and_workers_change_nothing(
    example: Path, tiles: Path, tmp_path: Path
) -> None:
    night = tmp_path / "night"
    night.mkdir()
    shutil.copy(tiles / "tile-000.fits", night)
    (night / "tile-001.fits").write_bytes(b"the disk was full")

    run = ewms(tmp_path, "run", example, "--input", "night", "--out", "out")
    assert run.returncode == 3, run.stderr
    report = tmp_path / "out" / "product" / "report.json"
    assert [missing["name"] for missing in json.loads(report.read_text())["missing"]] == ["night/tile-001.fits"]

    shutil.copy(tiles / "tile-001.fits", night)
    replay = ewms(tmp_path, "dead-letters", "replay", "out")
    assert replay.returncode == 0, replay.stderr
    assert json.loads(report.read_text())["missing"] == []

    anew = ewms(tmp_path, "run", example, "--input", "night", "--out", "anew", "--workers", "1")
    assert anew.returncode == 0, anew.stderr
    for path in report.parent.iterdir():
        assert path.read_bytes() == (tmp_path / "anew" / "product" / path.name).read_bytes()


def test_wrong_parameters_and_inputs_are_told_in_one_line(example: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, complaint in (
        (["--set", "mock_tiles=0"], "mock_tiles is 0"),
        (["--set", "depth=3"], "depth"),
        (["--set", "truth=nowhere.csv"], "nowhere.csv"),
        (["--input", "nowhere.fits"], "input nowhere.fits does not exist"),
    ):
        run = ewms(
            tmp_path,
            "run",
            example,
            "--out",
            "out",
            *(["--input", "empty"] if "truth=" in arguments[-1] else []),
            *arguments,
        )
        assert run.returncode not in {0, 3}
        assert complaint in run.stderr
        assert len(run.stderr.strip().splitlines()) == 1, run.stderr


def test_the_driver_does_not_load_what_only_workers_need(example: Path) -> None:
    code = "import survey, sys; print([name for name in ('astropy', 'sep') if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=example, capture_output=True, text=True, timeout=30, check=True)
    assert found.stdout == "[]\n"

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


def test_a_broken_micrograph_is_replaced_and_replayed_and_workers_change_nothing(
    example: Path, collection: Path, tmp_path: Path
) -> None:
    day = tmp_path / "day"
    day.mkdir()
    good, broken = sorted(collection.glob("mock*.mrc"))[:2]
    shutil.copy(good, day)
    (day / broken.name).write_bytes(b"the disk was full")
    settings = ["--set", f"templates={collection / 'templates.mrc'}", "--set", "rounds=2"]

    run = ewms(tmp_path, "run", example, "--input", "day", "--out", "out", *settings)
    assert run.returncode == 3, run.stderr
    report = tmp_path / "out" / "product" / "report.json"
    assert [missing["name"] for missing in json.loads(report.read_text())["missing"]] == [f"day/{broken.name}"]

    shutil.copy(broken, day)
    replay = ewms(tmp_path, "dead-letters", "replay", "out")
    assert replay.returncode == 0, replay.stderr
    assert json.loads(report.read_text())["missing"] == []

    anew = ewms(tmp_path, "run", example, "--input", "day", "--out", "anew", "--workers", "1", *settings)
    assert anew.returncode == 0, anew.stderr
    for path in report.parent.iterdir():
        assert path.read_bytes() == (tmp_path / "anew" / "product" / path.name).read_bytes()


def test_wrong_parameters_and_inputs_are_told_in_one_line(example: Path, tmp_path: Path) -> None:
    for arguments, complaint in (
        (["--set", "diameter=-3"], "diameter must be positive"),
        (["--set", "templates=nowhere.mrc"], "templates nowhere.mrc: the file cannot be opened"),
        (["--input", "nowhere.mrc"], "input nowhere.mrc does not exist"),
    ):
        run = ewms(tmp_path, "run", example, "--out", "out", *arguments)
        assert run.returncode not in {0, 3}
        assert complaint in run.stderr
        assert len(run.stderr.strip().splitlines()) == 1, run.stderr

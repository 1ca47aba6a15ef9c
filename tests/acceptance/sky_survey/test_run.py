from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.examples import check_refused, check_replay


def test_a_broken_tile_is_replaced_and_replayed_and_workers_change_nothing(
    example: Path, tiles: Path, tmp_path: Path
) -> None:
    check_replay(tmp_path, example, tiles / "tile-000.fits", tiles / "tile-001.fits")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--set", "mock_tiles=0"], "mock_tiles is 0"),
        (["--set", "depth=3"], "depth"),
        (["--input", "empty", "--set", "truth=nowhere.csv"], "nowhere.csv"),
        (["--input", "nowhere.fits"], "input nowhere.fits does not exist"),
    ],
)
def test_wrong_parameters_and_inputs_are_told_in_one_line(
    example: Path, tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    (tmp_path / "empty").mkdir()
    check_refused(tmp_path, example, arguments, complaint)


def test_the_driver_does_not_load_what_only_workers_need(example: Path) -> None:
    code = "import survey, sys; print([name for name in ('astropy', 'sep') if name in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=example, capture_output=True, text=True, timeout=120, check=True
    )
    assert found.stdout == "[]\n"

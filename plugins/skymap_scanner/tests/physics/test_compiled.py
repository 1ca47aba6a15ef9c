from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SHOW = "from skymap_scanner.physics import compiled; print(compiled._FOLDER)"
REPRODUCE = """
import numpy as np
from skymap_scanner.detector.geometry import modules
from skymap_scanner.hits import Hits
from skymap_scanner.physics.direction import _best, _spiral
from skymap_scanner.physics.likelihood import Settings, track_model
found, rng = modules(), np.random.default_rng(1)
some = np.sort(rng.choice(len(found.string), 60, replace=False))
hits = Hits(string=found.string[some], om=found.om[some], position=found.position[some],
            time=rng.normal(1e4, 1e3, 60), charge=rng.uniform(0.5, 9.0, 60))
model = track_model(hits, Settings(cap=50.0, noise=0.02, layered=True))
print(_best(model, _spiral(20), np.empty((20, 0, 4)), 5).tobytes().hex())
"""


def python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "", **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=110,
    )
    return done.stdout.strip()


def test_compiled_code_is_kept_where_the_environment_says(tmp_path: Path) -> None:
    assert python(SHOW, NUMBA_CACHE_DIR=str(tmp_path)).startswith(str(tmp_path))


def test_a_folder_that_cannot_be_written_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    folder = Path(python(SHOW, NUMBA_CACHE_DIR=str(file), HOME=str(tmp_path)))
    assert folder.is_dir()
    assert file not in folder.parents


@pytest.mark.soak
def test_compiling_and_loading_what_was_compiled_give_the_same_bits(tmp_path: Path) -> None:
    fresh, kept = (python(REPRODUCE, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2))
    assert fresh == kept

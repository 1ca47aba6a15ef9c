"""Makes the example's modules importable, as `ewms run` does, and gives micrographs to work on."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if os.environ.get("CI") != "true":
    pytest.importorskip("mrcfile", reason="pip install 'ewms[cryoem]'")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as workflow.toml sets it for pilots

CRYO = Path(__file__).resolve().parents[3] / "examples" / "cryo_em"
sys.path.insert(0, str(CRYO))

if TYPE_CHECKING:
    from specimen import MockSpecimen


@pytest.fixture(scope="session")
def example() -> Path:
    """The folder of the workflow."""
    return CRYO


@pytest.fixture(scope="session")
def mock() -> MockSpecimen:
    """Three small micrographs."""
    from specimen import MockSpecimen

    return MockSpecimen(micrographs=3, size=768)


@pytest.fixture(scope="session")
def collection(mock: MockSpecimen, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with these micrographs as MRC files, `truth.csv` and `templates.mrc`."""
    from specimen import write

    folder = tmp_path_factory.mktemp("micrographs")
    write(mock, folder)
    return folder

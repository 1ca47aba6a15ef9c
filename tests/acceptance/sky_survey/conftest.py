"""Makes the example's modules importable, as `ewms run` does, and gives tiles to measure."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if os.environ.get("CI") != "true":
    pytest.importorskip("sep", reason="pip install 'ewms[survey]'")

SURVEY = Path(__file__).resolve().parents[3] / "examples" / "sky_survey"
sys.path.insert(0, str(SURVEY))

if TYPE_CHECKING:
    from mock_sky import MockSky


@pytest.fixture(scope="session")
def example() -> Path:
    """The folder of the workflow."""
    return SURVEY


@pytest.fixture(scope="session")
def sky() -> MockSky:
    """Four small tiles."""
    from mock_sky import MockSky

    return MockSky(side=2, size=400)


@pytest.fixture(scope="session")
def tiles(sky: MockSky, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with these tiles as FITS files, and `truth.csv`."""
    from mock_sky import write

    folder = tmp_path_factory.mktemp("tiles")
    write(sky, folder)
    return folder

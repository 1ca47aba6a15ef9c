"""Makes the example's modules importable, as `ewms run` does, and gives pages to read."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

OCR = Path(__file__).resolve().parents[3] / "examples" / "ocr"
sys.path.insert(0, str(OCR))
os.environ.setdefault("OMP_THREAD_LIMIT", "1")  # as workflow.toml sets it for pilots

if TYPE_CHECKING:
    from PIL.Image import Image
    from read import Reader

TEXT = """The quick brown fox jumps over the lazy dog while the old
printer looks on and counts the letters. He has seen many
pages in his life, and few of them were as short as this one.
"""


@pytest.fixture(scope="session")
def example() -> Path:
    """The folder of the workflow."""
    return OCR


@pytest.fixture(scope="session")
def reader() -> Reader:
    """One engine for all tests: it keeps nothing of the pages that it has read."""
    from read import Reader

    return Reader()


@pytest.fixture(scope="session")
def text() -> str:
    """What a scrap says unless told otherwise."""
    return TEXT


@pytest.fixture(scope="session")
def scrap() -> Callable[..., Image]:
    """Draws a few lines on a small piece of paper, which is quickly read."""
    import sample

    def draw(text: str = TEXT, seed: int = 1) -> Image:
        lines = text.count("\n") + 1
        return sample.draw(text, seed).crop((0, 0, sample.WIDTH, 2 * sample.MARGIN + lines * sample.LINE_HEIGHT))

    return draw

"""Every snippet of the documentation does what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.docs.reader import Reader, matches
from tests.acceptance.docs.snippets import blocks_of

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("examples/*/README.md"))]
RUNNABLE = [page for page in PAGES if any(block.language in {"python", "console"} for block in blocks_of(page))]
_LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)[^)]*\)")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def scan(folder: Path) -> None:
    """A page on paper: `scan.pdf`, and a folder `scans` of the same."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", (1240, 400), 255)
    ImageDraw.Draw(image).text((100, 150), "The quick brown fox", fill=0, font=ImageFont.load_default(48))
    image.save(folder / "scan.pdf", resolution=150)
    folder.joinpath("scans").mkdir()
    image.save(folder / "scans" / "page.png", dpi=(150, 150))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", RUNNABLE, ids=name_of)
def test_a_page(page: Path, tmp_path: Path) -> None:
    tmp_path.joinpath("examples").symlink_to(ROOT / "examples")
    if page.parent.name == "ocr":
        scan(tmp_path)
    assert Reader(tmp_path).follow(page) > 0


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    missing = [link for link in _LINK.findall(text) if not page.parent.joinpath(link).exists()]
    assert not missing


@pytest.mark.parametrize(
    ("shown", "found", "is_same"),
    [
        ("complete: 3 events in 0.9 s", "complete: 3 events in 12.5 s\n", True),
        ("complete: 3 events in 0.9 s", "complete: 4 events in 0.9 s\n", False),
        ("first\n...\nlast", "first\n1\n2\nlast\n", True),
        ("first", "first\nsecond\n", False),
        ("x  WF-6b03842d-c3a95c05", "x  WF-00000000-11111111", True),
    ],
)
def test_outputs_are_compared_but_for_what_varies(shown: str, found: str, is_same: bool) -> None:
    assert matches(shown, found) is is_same

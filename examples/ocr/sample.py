"""The sample book: the project's own documentation, drawn with uneven ink, set askew and strewn with noise.

Its true text is known, so that the error rate of what was read can be told.
"""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import score

if TYPE_CHECKING:
    from PIL.Image import Image

DPI = 150
WIDTH, HEIGHT = 1240, 1754
"""A4, in pixels."""
MARGIN = 110
FONT_SIZE = 24
LINE_HEIGHT = 36
COLUMNS = 88
"""Characters in a line; as many as fit between the margins."""
LINES = (HEIGHT - 2 * MARGIN) // LINE_HEIGHT
"""Lines on a page."""


def texts(pages: int) -> list[str]:
    """The true text of each page, of `pages` at most: this folder's own pages, then README and docs where they are."""
    here = Path(__file__).resolve().parent
    project = here.parents[1]
    sources = [here / "sample.md", project / "README.md", *sorted((project / "docs").glob("*.md"))]
    lines: list[str] = []
    for source in filter(Path.is_file, sources):
        for paragraph in _paragraphs(source.read_text("utf-8")):
            lines += [*textwrap.wrap(paragraph, COLUMNS), ""]
    return ["\n".join(lines[top : top + LINES]).strip() for top in range(0, len(lines), LINES)][:pages]


def _paragraphs(markdown: str) -> Iterator[str]:
    """The prose alone, in plain letters: what has a spelling that a reader can get right."""
    prose = re.sub(r"(?s)```.*?```|<!--.*?-->", "", markdown)
    prose = re.sub(r"(?m)^\s*\|.*$", "", prose)  # tables
    prose = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", prose)  # links
    prose = re.sub(r"[`*#>]", "", score.typed(prose))
    for paragraph in re.split(r"\n\s*\n|\n\s*(?:[-+]|\d+\.) ", prose):
        plain = " ".join(paragraph.encode("ascii", "ignore").decode().split())
        if plain and "_" not in plain:  # names of code are no prose
            yield plain


def draw(text: str, seed: int) -> Image:
    """The page as a scanner would see it, grey, at `DPI`; the same pixels for the same text and seed."""
    from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

    chance = random.Random(seed)  # noqa: S311 - noise, not a secret
    size = (WIDTH, HEIGHT)
    page = Image.new("L", size, 255)
    font = ImageFont.load_default(FONT_SIZE)
    ImageDraw.Draw(page).multiline_text((MARGIN, MARGIN), text, fill=20, font=font, spacing=LINE_HEIGHT - FONT_SIZE)
    page = page.rotate(chance.uniform(-1.5, 1.5), Image.Resampling.BICUBIC, fillcolor=255)
    page = page.filter(ImageFilter.GaussianBlur(chance.uniform(0.4, 0.8)))
    blots = Image.frombytes("L", (9, 13), chance.randbytes(9 * 13)).resize(size, Image.Resampling.BICUBIC)
    page = ImageChops.add(page, blots.point(lambda level: level * 0.35))
    grain = Image.frombytes("L", size, chance.randbytes(WIDTH * HEIGHT))
    return Image.blend(page, grain, 0.18)

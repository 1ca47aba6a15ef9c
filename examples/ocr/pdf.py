"""Binds pages into a searchable PDF: the picture of each page, and under it the words, unseen but found and copied."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from events import Missing, PageText

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

A4 = (595.3, 841.9)
FONT = "Helvetica"
"""Built into PDF; has the letters of Western Europe. Register a TrueType font with reportlab for others."""
INVISIBLE = 3
"""PDF's text rendering mode."""


def bind(leaves: Sequence[PageText | Missing]) -> bytes:
    """The book: a page for each leaf, in this order; the same bytes for the same leaves. A missing page says so."""
    from reportlab import rl_config
    from reportlab.pdfgen.canvas import Canvas

    rl_config.useA85 = 0  # pictures as bytes: ASCII85 would make the file a quarter larger
    stream = io.BytesIO()
    canvas = Canvas(stream, pageCompression=1, invariant=1)  # invariant: neither the date nor a random id
    canvas.setTitle("book")
    for leaf in leaves:
        if isinstance(leaf, Missing):
            _draw_mark(canvas, leaf.mark)
        else:
            _draw_page(canvas, leaf)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def _draw_page(canvas: Canvas, page: PageText) -> None:
    from reportlab.lib.utils import ImageReader

    canvas.setPageSize((page.width, page.height))
    canvas.drawImage(ImageReader(io.BytesIO(page.jpeg)), 0, 0, page.width, page.height)
    layer = canvas.beginText()
    layer.setTextRenderMode(INVISIBLE)
    for word, left, right, top, bottom in page.words:
        size = max(bottom - top, 1.0)
        layer.setFont(FONT, size)
        layer.setHorizScale(100 * (right - left) / max(canvas.stringWidth(word, FONT, size), 1.0))
        layer.setTextOrigin(left, page.height - bottom + size / 5)  # the letters' tails reach below the line
        layer.textOut(word + " ")
    canvas.drawText(layer)


def _draw_mark(canvas: Canvas, mark: str) -> None:
    from reportlab.lib.utils import simpleSplit

    width, height = A4
    canvas.setPageSize(A4)
    note = canvas.beginText(72, height - 72)
    note.setFont(FONT, 12)
    note.textLines(simpleSplit(mark, FONT, 12, width - 144))
    canvas.drawText(note)

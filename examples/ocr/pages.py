"""Opens files: how many pages one holds, and what each of them looks like."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

import pypdfium2
from events import Page, Source
from PIL import Image, ImageOps, UnidentifiedImageError

PDF_DPI = 300
"""Resolution at which the pages of a PDF are drawn."""
LEAST_DPI = 120
"""Coarser pictures are enlarged to it: at 75 dots an inch that takes the errors from 8 % to 0.5 %."""
MOST_ENLARGED = 3.0
LEAST_SIDE = 16
"""In pixels; there is no smaller page."""
LONGEST_SIDE = 5000
"""Larger pictures are reduced to it, in pixels; A3 at 300 dots an inch."""


class Unreadable(Exception):
    """The file or page cannot be read; replace the file or leave it out."""


class Picture(NamedTuple):
    """A page as the reader sees it."""

    image: Image.Image
    """Grey, upright as far as the file tells."""
    dpi: float
    """Its resolution."""


def split(source: Source) -> Iterator[Page]:
    """Task `split`: one event for every page of a file; `Unreadable` if it is neither a PDF nor a picture."""
    count = _count(source.path)
    if not count:
        raise Unreadable("the file holds no pages")
    for page in range(1, count + 1):
        yield Page(**source.model_dump(), page=page)


def _count(path: str) -> int:
    if _is_pdf(path):
        with _open_pdf(path) as pdf:
            return len(pdf)
    with _open_image(path) as image:
        # Other formats' further frames are animations and previews.
        return getattr(image, "n_frames", 1) if image.format == "TIFF" else 1


def load(page: Page) -> Picture:
    """The picture of one page; `Unreadable` if the file is damaged there."""
    picture = _draw_pdf(page) if _is_pdf(page.path) else _load_image(page)
    if min(picture.image.size) < LEAST_SIDE:
        raise Unreadable(f"the page is too small to hold writing: {picture.image.width} x {picture.image.height} pixels")
    return picture


def _is_pdf(path: str) -> bool:
    try:
        with open(path, "rb") as stream:
            return b"%PDF-" in stream.read(1024)
    except OSError as error:
        raise Unreadable(f"the file cannot be opened: {error.strerror}") from error


def _open_pdf(path: str) -> pypdfium2.PdfDocument:
    with open(path, "rb") as stream:
        stream.seek(max(0, os.path.getsize(path) - 2048))
        if b"%%EOF" not in stream.read():
            # PDFium would repair it, and the pages that are lost would be missed by nobody.
            raise Unreadable("the PDF is cut short: its end is missing")
    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise Unreadable(f"not a PDF that can be opened: {error}") from error


def _draw_pdf(page: Page) -> Picture:
    with _open_pdf(page.path) as pdf:
        try:
            sheet = pdf[page.page - 1]
        except pypdfium2.PdfiumError as error:
            raise Unreadable(f"the page is damaged: {error}") from error
        dpi = min(PDF_DPI, 72 * LONGEST_SIDE / max(sheet.get_size()))
        return Picture(sheet.render(scale=dpi / 72, grayscale=True).to_pil(), dpi)


def _open_image(path: str) -> Image.Image:
    try:
        return Image.open(path)
    except UnidentifiedImageError as error:
        raise Unreadable("neither a PDF nor a picture in a known format") from error


def _load_image(page: Page) -> Picture:
    with _open_image(page.path) as image:
        try:
            image.seek(page.page - 1)
            image.load()
        except (OSError, SyntaxError, ValueError) as error:  # what Pillow's formats raise for damaged data
            raise Unreadable(f"the picture is damaged: {error}") from error
        dpi = float(image.info.get("dpi", (0, 0))[0])
        grey = _grey(ImageOps.exif_transpose(image))
    if not 72 < dpi <= 1200:  # not told, or not meant: then a page is as long as a sheet of A4
        dpi = max(grey.size) / 11.7
    factor = min(max(1.0, LEAST_DPI / dpi), MOST_ENLARGED, LONGEST_SIDE / max(grey.size))
    return Picture(ImageOps.scale(grey, factor), dpi * factor)


def _grey(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return image.point(lambda level: level / 256).convert("L")
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image.convert("RGBA")).convert("L")
    return image.convert("L")

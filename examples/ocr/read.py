"""Reads pages: one Tesseract engine in every worker process."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator

import pages
import sample
import tessdata
from events import Page, PageText, Word
from pages import Picture, Unreadable
from PIL import Image, ImageFilter, ImageOps, ImageStat
from tesserocr import OEM, PSM, RIL, PyTessBaseAPI, iterate_level

LEAST_CONFIDENCE = 30
"""Below it, what the engine has found on a page is not writing."""
STEEP, BLANK = 64, 0.02
"""A page is blank if its grey changes by so much in so small a part of it: 0.3 % of blank paper, 5 to 12 % of text."""
SMOOTHING = 0.7
"""Radius in pixels: takes the grain away and leaves the letters."""
BOOK_DPI = 150
"""Resolution of the pictures in the book."""
BOOK_QUALITY = 50
"""JPEG quality of the pictures in the book."""


class Reader:
    """Task `read`. To use another engine, write a class with this `consume`."""

    def __init__(self) -> None:
        self._engine = PyTessBaseAPI(path=tessdata.data_path(), lang="eng", oem=OEM.LSTM_ONLY)

    def consume(self, page: Page) -> PageText:
        """The text of one page; `Unreadable` if the page is damaged or what is on it cannot be made out."""
        picture = Picture(sample.draw(page.truth, page.page), sample.DPI) if page.truth else pages.load(page)
        image, dpi = self._straighten(picture)
        self._look_at(image, dpi, PSM.AUTO)
        text = self._engine.GetUTF8Text().strip()
        confidence = self._engine.MeanTextConf() if text else None
        if (confidence or 0) < LEAST_CONFIDENCE and not _is_blank(image):
            raise Unreadable("the page is not blank, but no writing can be made out")
        return PageText(
            file=page.file,
            name=page.name,
            page=page.page,
            text=text,
            confidence=confidence,
            words=list(self._words(72 / dpi)) if text else [],
            width=image.width * 72 / dpi,
            height=image.height * 72 / dpi,
            jpeg=_jpeg(image, min(1.0, BOOK_DPI / dpi)),
        )

    def _look_at(self, image: Image.Image, dpi: float, mode: int) -> None:
        self._engine.SetPageSegMode(mode)
        self._engine.SetImage(image)
        self._engine.SetSourceResolution(round(dpi))

    def _straighten(self, picture: Picture) -> Picture:
        """The picture with less grain, the right way up, its lines level: halves the errors for a third of a second."""
        image = picture.image.filter(ImageFilter.GaussianBlur(SMOOTHING))
        self._look_at(image, picture.dpi, PSM.AUTO_OSD)
        layout = self._engine.AnalyseLayout()
        if layout is None:  # a blank page
            return Picture(image, picture.dpi)
        quarters, _, _, skew = layout.Orientation()
        angle = 90 * quarters + math.degrees(skew)
        paper = ImageStat.Stat(image).median[0]
        return Picture(image.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=paper), picture.dpi)

    def _words(self, points: float) -> Iterator[Word]:
        for word in iterate_level(self._engine.GetIterator(), RIL.WORD):
            left, _, right, _ = word.BoundingBox(RIL.WORD)
            _, top, _, bottom = word.BoundingBox(RIL.TEXTLINE)
            yield word.GetUTF8Text(RIL.WORD), left * points, right * points, top * points, bottom * points


def _is_blank(image: Image.Image) -> bool:
    """Whether hardly anything stands out from the paper, its grain and the shadows at its edges."""
    edges = ImageOps.crop(image.reduce(4).filter(ImageFilter.FIND_EDGES), border=1).histogram()
    return sum(edges[STEEP:]) < BLANK * sum(edges)


def _jpeg(image: Image.Image, factor: float) -> bytes:
    size = (round(image.width * factor), round(image.height * factor))
    stream = io.BytesIO()
    image.resize(size, Image.Resampling.LANCZOS).save(stream, "JPEG", quality=BOOK_QUALITY)
    return stream.getvalue()

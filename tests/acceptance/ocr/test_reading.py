from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import sample
import score
from events import Page, PageText
from pages import Unreadable
from PIL import Image, ImageChops, ImageOps
from read import Reader

Scrap = Callable[..., Image.Image]
SCAN = Path(__file__).resolve().parents[4] / "shared" / "pages" / "huckleberry-finn-p029.pdf"
PASSAGE = """
I set down, one time, back in the woods, and had a long think about it. I
says to myself, if a body can get anything they pray for, why don't Deacon
Winn get back the money he lost on pork? Why can't the widow get back
her silver snuff-box that was stole? Why can't Miss Watson fat up? No, says
I to myself, there ain't nothing in it. I went and told the widow about it,
and she said the thing a body could get by praying for it was "spiritual gifts."
This was too many for me, but she told me what she meant-I must help
other people, and do everything I could for other people, and look out for them
all the time, and never think about myself. This was including Miss Watson,
"""
"""The last paragraph of the scan, typed from the picture and checked against it letter by letter."""


def error_rate(truth: str, text: str) -> float:
    truth = score.normal(truth)
    return score.edit_distance(truth, score.normal(text)) / len(truth)


def read(reader: Reader, image: Image.Image, path: Path) -> PageText:
    image.save(path, dpi=(150, 150))
    return reader.consume(Page(file=1, name=path.name, path=str(path), page=1))


@pytest.mark.skipif(not SCAN.exists(), reason=f"the scanned page is not there: {SCAN}")
def test_a_real_scan_is_read(reader: Reader) -> None:
    page = reader.consume(Page(file=1, name=SCAN.name, path=str(SCAN), page=1))
    start, end = page.text.index("I set down"), page.text.index("including Miss Watson,") + len("including Miss Watson,")
    assert error_rate(PASSAGE, page.text[start:end]) < 0.01  # 0.0000 measured
    assert "Chapter" not in page.text  # the drawn heading is no type, and is not invented
    assert page.confidence is not None
    assert page.confidence > 85


def test_a_page_tells_text_confidence_and_where_each_word_stands(
    reader: Reader, scrap: Scrap, text: str, tmp_path: Path
) -> None:
    page = read(reader, scrap(), tmp_path / "scrap.png")
    assert error_rate(text, page.text) < 0.02
    assert page.confidence is not None
    assert page.confidence > 80
    assert " ".join(word for word, *_ in page.words) == " ".join(page.text.split())
    for _, left, right, top, bottom in page.words:
        assert 0 <= left < right <= page.width
        assert 0 <= top < bottom <= page.height
    picture = Image.open(io.BytesIO(page.jpeg))
    assert picture.width / page.width == pytest.approx(150 / 72, rel=0.01)


@pytest.mark.parametrize("angle", [-3, 4, 90])
def test_a_page_that_is_askew_or_on_its_side_is_set_straight(
    reader: Reader, scrap: Scrap, text: str, tmp_path: Path, angle: float
) -> None:
    turned = scrap(text * 4).rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=230)
    page = read(reader, turned, tmp_path / "turned.png")
    assert error_rate(text * 4, page.text) < 0.01
    assert page.width > page.height  # of the paper when it is upright


def test_shadows_and_white_on_black_do_no_harm(reader: Reader, scrap: Scrap, text: str, tmp_path: Path) -> None:
    paper = scrap(text * 2)
    shadow = Image.linear_gradient("L").resize(paper.size).point(lambda light: 255 - light * 0.6)
    for image in (ImageChops.multiply(paper, shadow), ImageOps.invert(paper)):
        assert error_rate(text * 2, read(reader, image, tmp_path / "dark.png").text) < 0.01


def test_a_page_with_few_words_is_read(reader: Reader, tmp_path: Path) -> None:
    title = "Chapter One\n\nIn which nothing happens"
    assert error_rate(title, read(reader, sample.draw(title, seed=1), tmp_path / "title.png").text) == 0


def test_a_page_reads_alike_whatever_was_read_before(reader: Reader, scrap: Scrap, tmp_path: Path) -> None:
    first = read(reader, scrap(), tmp_path / "scrap.png")
    read(reader, scrap("Something else entirely, with other words."), tmp_path / "other.png")
    assert read(reader, scrap(), tmp_path / "scrap.png") == first
    assert read(Reader(), scrap(), tmp_path / "scrap.png") == first


def test_a_blank_page_is_empty_but_not_missing(reader: Reader, scrap: Scrap, tmp_path: Path) -> None:
    for blank in (scrap(" "), Image.new("L", (600, 400), 255)):
        page = read(reader, blank, tmp_path / "blank.png")
        assert (page.text, page.confidence, page.words) == ("", None, [])


def test_noise_is_unreadable(reader: Reader, tmp_path: Path) -> None:
    noise = Image.frombytes("L", (600, 400), os.urandom(240_000))
    with pytest.raises(Unreadable, match="no writing can be made out"):
        read(reader, noise, tmp_path / "noise.png")

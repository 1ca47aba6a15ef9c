from __future__ import annotations

import io
import re

import pdf
import pypdfium2
import pytest
from events import Missing, PageText, Word
from PIL import Image


def leaf(*words: Word, height: float = 200.0) -> PageText:
    stream = io.BytesIO()
    Image.new("L", (300, 200), 240).save(stream, "JPEG")
    text = " ".join(word for word, *_ in words)
    return PageText(
        file=1,
        name="x.png",
        page=1,
        text=text,
        confidence=90,
        words=list(words),
        width=300.0,
        height=height,
        jpeg=stream.getvalue(),
    )


HELLO: Word = ("Hello", 20.0, 70.0, 30.0, 42.0)
WORLD: Word = ("w\u00f6rld", 74.0, 124.0, 30.0, 42.0)


def test_words_are_found_where_they_stand() -> None:
    document = pypdfium2.PdfDocument(pdf.bind([leaf(HELLO, WORLD)]))
    text = document[0].get_textpage()
    assert text.get_text_bounded().strip() == "Hello w\u00f6rld"
    assert text.get_text_bounded(left=72, right=130, bottom=200 - 42, top=200 - 30).strip() == "w\u00f6rld"
    places = [text.get_rect(number) for number in range(text.count_rects())]
    assert min(left for left, *_ in places) == pytest.approx(20, abs=2)
    assert max(right for _, _, right, _ in places) == pytest.approx(124, abs=6)


def test_words_are_not_seen() -> None:
    empty, full = (pypdfium2.PdfDocument(pdf.bind([leaf(*words)])) for words in ((), (HELLO, WORLD)))
    assert empty[0].render().to_pil().tobytes() == full[0].render().to_pil().tobytes()


def test_every_leaf_is_a_page_of_its_own_size_and_a_missing_one_says_so() -> None:
    missing = Missing(name="scans/p2.png", page=1, reason="Unreadable: " + "a long reason " * 12)
    document = pypdfium2.PdfDocument(pdf.bind([leaf(HELLO), missing, leaf(WORLD, height=250.0)]))
    assert [round(page.get_height()) for page in document] == [200, 842, 250]
    said = document[1].get_textpage().get_text_bounded()
    assert " ".join(said.split()) == missing.mark


def test_the_same_leaves_are_the_same_bytes_without_today_s_date() -> None:
    first = pdf.bind([leaf(HELLO), leaf(WORLD)])
    assert first == pdf.bind([leaf(HELLO), leaf(WORLD)])
    assert set(re.findall(rb"/(?:Creation|Mod)Date \(D:(\d{4})", first)) == {b"2000"}


def test_a_word_without_width_or_height_does_no_harm() -> None:
    document = pypdfium2.PdfDocument(pdf.bind([leaf(("|", 10.0, 10.0, 20.0, 20.0), HELLO)]))
    assert "Hello" in document[0].get_textpage().get_text_bounded()

from __future__ import annotations

import io
import json
import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import score
from book import Book
from PIL import Image

from ewms import DeadLetter, Event, Outcome
from ewms.core.ids import check_event_id
from ewms.testing import SimulationResult, check_order_independence, simulate

Scrap = Callable[..., Image.Image]
DPI = (150, 150)


def run(example: Path, *inputs: Path, **parameters: int) -> SimulationResult:
    """Everything but the processes: the real consumers, ledger and journal, in a shuffled order."""
    from ewms.local.loading import load

    loaded = load(str(example), parameters)
    return simulate(loaded, lambda: loaded.application(inputs), seed=random.Random(1).randrange(100))


def lines_of(product: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in product["pages.jsonl"].splitlines()]


def speck() -> bytes:
    stream = io.BytesIO()
    Image.new("L", (8, 8), 255).save(stream, "JPEG")
    return stream.getvalue()


SPECK = speck()


def read_event(event_id: str, file: int, page: int, text: str) -> Outcome:
    value = {
        "file": file,
        "name": f"{file}.pdf",
        "page": page,
        "text": text,
        "confidence": 90,
        "words": [],
        "width": 100.0,
        "height": 100.0,
        "jpeg": SPECK,
    }
    return Outcome(id=event_id, task="read", values=(value,))


def test_the_sample_book_is_read_with_few_errors(example: Path) -> None:
    result = run(example, sample_pages=2)
    accuracy = json.loads(result.product["accuracy.json"])
    assert accuracy["character_error_rate"] < 0.01  # 0.0038 measured
    assert accuracy["characters"] > 4000
    assert [line["page"] for line in lines_of(result.product)] == [1, 2]
    with pypdfium2.PdfDocument(result.product["book.pdf"]) as document:
        for page, line in zip(document, lines_of(result.product), strict=True):
            found = page.get_textpage().get_text_bounded()
            assert score.normal(found) == score.normal(line["text"])
    assert len(result.product["book.pdf"]) < 2 * 300_000


def test_files_become_a_book_in_the_order_given_with_marks_for_what_is_missing(
    example: Path, scrap: Scrap, tmp_path: Path
) -> None:
    folder = tmp_path / "scans"
    (folder / ".cache").mkdir(parents=True)
    scrap("This is the tenth page").save(folder / "page 10.png", dpi=DPI)
    scrap("This is the second page").save(folder / "Page 2.jpg", dpi=DPI)
    (folder / "page 3.png").write_bytes(os.urandom(4000))
    (folder / ".cache" / "thumbnail.png").touch()
    noise = Image.frombytes("L", (600, 400), os.urandom(240_000))
    scrap("This comes first").save(
        tmp_path / "fax.tif", save_all=True, dpi=DPI, append_images=[noise, scrap("This is the third")]
    )
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 and then the line went dead")

    result = run(example, tmp_path / "fax.tif", folder, broken)

    assert result.product["book.txt"].split("\n\n") == [
        "This comes first",
        "[page 2 of fax.tif is missing: the page is not blank, but no writing can be made out]",
        "This is the third",
        "This is the second page",
        "[every page of scans/page 3.png is missing: neither a PDF nor a picture in a known format]",
        "This is the tenth page",
        "[every page of broken.pdf is missing: the PDF is cut short: its end is missing]\n",
    ]
    lines = lines_of(result.product)
    assert [(line["page"], line["file"], line["file_page"]) for line in lines] == [
        (1, "fax.tif", 1),
        (2, "fax.tif", 2),
        (3, "fax.tif", 3),
        (4, "scans/Page 2.jpg", 1),
        (5, "scans/page 3.png", None),
        (6, "scans/page 10.png", 1),
        (7, "broken.pdf", None),
    ]
    assert [line["missing"] for line in lines if "missing" in line] == [
        "the page is not blank, but no writing can be made out",
        "neither a PDF nor a picture in a known format",
        "the PDF is cut short: its end is missing",
    ]
    assert len(pypdfium2.PdfDocument(result.product["book.pdf"])) == 7
    assert result.events["dead_lettered"] == 3
    assert str(tmp_path) not in "".join(str(content) for content in result.product.values())


def test_the_book_is_the_same_in_whatever_order_the_pages_come(example: Path, scrap: Scrap, tmp_path: Path) -> None:
    scrap("One and two").crop((0, 60, 500, 200)).save(tmp_path / "one.png", dpi=DPI)
    (tmp_path / "two.png").write_bytes(b"no picture")
    scrap("Three and four").crop((0, 60, 500, 200)).save(tmp_path / "three.png", dpi=DPI)
    product = check_order_independence(str(example), inputs=[tmp_path], seeds=1)
    assert product["book.txt"].count("missing") == 1


def test_outcomes_in_any_order_give_the_same_book() -> None:
    outcomes = [read_event(f"{file}/{page}", file, page, f"{file}.{page}") for file in (1, 2, 11) for page in range(1, 13)]
    letter = DeadLetter(id="3", task="split", reason="gone", body={"file": 3, "name": "3.pdf", "path": "/tmp/3.pdf"})
    books = []
    for seed in range(5):
        book = Book([Path("x.pdf")])
        terminal: list[Outcome | DeadLetter] = [*outcomes, letter]
        random.Random(seed).shuffle(terminal)
        for item in terminal:
            assert list(book.buried(item) if isinstance(item, DeadLetter) else book.advance(item)) == []
        books.append(book.assemble())
    assert all(book == books[0] for book in books)
    text = books[0]["book.txt"]
    assert isinstance(text, str)
    assert text.split()[:3] == ["1.1", "1.2", "1.3"]
    assert text.index("2.12") < text.index("[every page of 3.pdf is missing: gone]") < text.index("11.1")


def test_what_was_replayed_with_success_is_missing_no_more() -> None:
    book = Book([Path("1.pdf")])
    body = {"file": 1, "name": "1.pdf", "path": "/tmp/1.pdf"}
    list(book.buried(DeadLetter(id="1", task="split", reason="offline", body=body)))
    assert book.assemble()["book.txt"] == "[every page of 1.pdf is missing: offline]\n"
    list(book.advance(Outcome(id="1", task="split", values=(body | {"page": 1},))))
    list(book.buried(DeadLetter(id="1/split/0", task="read", reason="dark", body=body | {"page": 1})))
    assert book.assemble()["book.txt"] == "[page 1 of 1.pdf is missing: dark]\n"
    assert book.summary() == {"pages": 0, "missing": 1}
    list(book.advance(read_event("1/split/0", 1, 1, "light")))
    assert book.assemble()["book.txt"] == "light\n"
    assert book.summary() == {"pages": 1, "missing": 0}


def test_ids_are_allowed_and_unique_whatever_files_are_called(tmp_path: Path) -> None:
    names = ["a b.png", "\u00fc\u4e2d.pdf", "x" * 200 + ".tif", "a b.png"]
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        for name in names:
            (tmp_path / place / name).touch()
    inputs = [tmp_path / "one", tmp_path / "two", tmp_path / "one" / "a b.png"]
    events: list[Event] = list(Book(inputs).start())
    assert len({check_event_id(event.id) for event in events}) == len(events) == 7
    assert events == list(Book(inputs).start())


def test_a_missing_page_of_the_sample_counts_as_errors() -> None:
    book = Book(sample_pages=1)
    assert book.summary()["character_error_rate"] == 1.0


def test_wrong_input_is_told() -> None:
    with pytest.raises(ValueError, match="sample_pages is 0"):
        Book(sample_pages=0)


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no files"):
        list(Book([tmp_path]).start())

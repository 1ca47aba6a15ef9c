from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pages
import pypdfium2
import pytest
from events import Page, Source
from pages import Unreadable
from PIL import Image


def source(path: Path) -> Source:
    return Source(file=3, name=path.name, path=str(path))


def page(path: Path, number: int = 1) -> Page:
    return Page(file=1, name=path.name, path=str(path), page=number)


def write_pdf(path: Path, *colours: int) -> Path:
    """A PDF with one grey page for each colour."""
    first, *others = [Image.new("L", (100, 140), colour) for colour in colours]
    first.save(path, "PDF", save_all=True, append_images=others, resolution=100)
    return path


def test_a_pdf_is_split_into_its_pages(tmp_path: Path) -> None:
    found = list(pages.split(source(write_pdf(tmp_path / "three.pdf", 10, 20, 30))))
    assert [(each.file, each.name, each.page) for each in found] == [(3, "three.pdf", n) for n in (1, 2, 3)]


def test_a_pdf_page_is_drawn_at_300_dpi(tmp_path: Path) -> None:
    image, dpi = pages.load(page(write_pdf(tmp_path / "two.pdf", 10, 200), 2))
    assert dpi == 300
    assert image.mode == "L"
    assert image.width == 300
    assert image.height == pytest.approx(420, abs=1)
    assert image.getpixel((150, 210)) == pytest.approx(200, abs=2)


def test_a_poster_is_drawn_no_larger_than_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "poster.pdf"
    with pypdfium2.PdfDocument.new() as pdf:
        pdf.new_page(3370, 2384)  # A0
        pdf.save(path)
    assert pages.load(page(path)).image.width == pages.LONGEST_SIDE


def test_a_tiff_has_as_many_pages_as_frames(tmp_path: Path) -> None:
    path = tmp_path / "fax.tif"
    first, *others = [Image.new("1", (850, 1100), colour) for colour in (0, 1)]
    first.save(path, save_all=True, append_images=others)
    assert [each.page for each in pages.split(source(path))] == [1, 2]
    assert [pages.load(page(path, number)).image.getpixel((5, 5)) for number in (1, 2)] == [0, 255]


def test_an_animation_is_one_page(tmp_path: Path) -> None:
    path = tmp_path / "moving.gif"
    first, *others = [Image.new("L", (50, 50), colour) for colour in (0, 100, 200)]
    first.save(path, save_all=True, append_images=others)
    assert len(list(pages.split(source(path)))) == 1


@pytest.mark.parametrize(
    ("mode", "colour", "grey"),
    [
        ("1", 1, 255),
        ("I;16", 65535, 255),
        ("I;16", 32768, 128),
        ("RGB", (255, 255, 255), 255),
        ("RGBA", (0, 0, 0, 0), 255),
        ("LA", (0, 255), 0),
        ("CMYK", (0, 0, 0, 0), 255),
    ],
)
def test_every_kind_of_picture_becomes_grey(tmp_path: Path, mode: str, colour: int, grey: int) -> None:
    path = tmp_path / ("x.tif" if mode == "CMYK" else "x.png")
    Image.new(mode, (1000, 1400), colour).save(path)
    image, _ = pages.load(page(path))
    assert (image.mode, image.getpixel((700, 700))) == ("L", grey)


def test_a_photograph_is_turned_as_its_camera_was_held(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (1400, 1000), 255).save(path, exif=exif, dpi=(150, 150))
    assert pages.load(page(path)).image.size == (1000, 1400)


def test_resolution_is_the_file_s_or_that_of_a_sheet_of_a4(tmp_path: Path) -> None:
    Image.new("L", (1000, 1400)).save(tmp_path / "told.png", dpi=(200, 200))
    Image.new("L", (1654, 2340)).save(tmp_path / "untold.png")
    assert pages.load(page(tmp_path / "told.png")).dpi == pytest.approx(200, abs=0.1)
    assert pages.load(page(tmp_path / "untold.png")).dpi == pytest.approx(200, abs=0.1)


def test_a_coarse_picture_is_enlarged_and_a_huge_one_reduced(tmp_path: Path) -> None:
    Image.new("L", (496, 702)).save(tmp_path / "coarse.png")
    Image.new("1", (6000, 10000)).save(tmp_path / "huge.png")
    coarse, huge = pages.load(page(tmp_path / "coarse.png")), pages.load(page(tmp_path / "huge.png"))
    assert coarse.dpi == pytest.approx(pages.LEAST_DPI)
    assert coarse.image.size == (992, 1404)
    assert huge.image.size == (3000, 5000)


def test_a_speck_is_no_page(tmp_path: Path) -> None:
    Image.new("L", (2, 3)).save(tmp_path / "speck.png")
    with pytest.raises(Unreadable, match="too small"):
        pages.load(page(tmp_path / "speck.png"))


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(5000))


def empty(path: Path) -> None:
    path.touch()


def truncated_pdf(path: Path) -> None:
    data = write_pdf(path, 10, 20).read_bytes()
    path.write_bytes(data[: len(data) // 2])


def damaged_pdf(path: Path) -> None:
    path.write_bytes(b"%PDF-1.7\nnothing that follows makes any sense\n%%EOF\n")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (garbage, "neither a PDF nor a picture"),
        (empty, "neither a PDF nor a picture"),
        (truncated_pdf, "cut short"),
        (damaged_pdf, "not a PDF that can be opened"),
        (lambda path: None, "cannot be opened: No such file"),
    ],
)
def test_an_unreadable_file_is_told_without_its_path(tmp_path: Path, make: Callable[[Path], None], reason: str) -> None:
    path = tmp_path / "page.png"
    make(path)
    with pytest.raises(Unreadable, match=reason) as caught:
        list(pages.split(source(path)))
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_a_picture_that_is_cut_short_is_unreadable(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"page.{suffix}"
    Image.frombytes("L", (300, 400), os.urandom(120_000)).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(Unreadable):
        [pages.load(each) for each in pages.split(source(path))]

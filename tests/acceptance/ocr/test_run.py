from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image

Scrap = Callable[..., Image.Image]


def ewms(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("ewms"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_page_that_was_unreadable_is_replaced_and_replayed(example: Path, scrap: Scrap, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    scrap("The first page").save(scans / "1.png", dpi=(150, 150))
    (scans / "2.png").write_bytes(os.urandom(1000))

    run = ewms(tmp_path, "run", example, "--input", "scans", "--out", "out")
    assert run.returncode == 3, run.stderr
    product = tmp_path / "out" / "product"
    assert product.joinpath("book.txt").read_text() == (
        "The first page\n\n[every page of scans/2.png is missing: neither a PDF nor a picture in a known format]\n"
    )
    assert json.loads(product.parent.joinpath("summary.json").read_text())["missing"] == 1

    scrap("The second page").save(scans / "2.png", dpi=(150, 150))
    replay = ewms(tmp_path, "dead-letters", "replay", "out")
    assert replay.returncode == 0, replay.stderr
    assert product.joinpath("book.txt").read_text() == "The first page\n\nThe second page\n"

    anew = ewms(tmp_path, "run", example, "--input", "scans", "--out", "anew", "--workers", "1")
    assert anew.returncode == 0, anew.stderr
    files = sorted(path.name for path in product.iterdir())
    assert files == ["book.pdf", "book.txt", "pages.jsonl"]
    for name in files:
        assert product.joinpath(name).read_bytes() == (tmp_path / "anew" / "product" / name).read_bytes()


def test_the_driver_loads_no_library_of_the_tasks(example: Path) -> None:
    code = (
        "import book, sys; print([name for name in ('PIL', 'pypdfium2', 'reportlab', 'tesserocr') if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=example, capture_output=True, text=True, timeout=120, check=True
    )
    assert found.stdout == "[]\n"

"""Files of the product are replaced as a whole, stay inside their folder, and hold what was returned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ewms.core.errors import ApplicationError
from ewms.core.event import Attempt, DeadLetter
from ewms.local.product import remove_partials, replacing, write_dead_letters, write_product
from ewms.wms.letters import letter_json


def test_a_mapping_of_text_and_bytes_becomes_files(tmp_path: Path) -> None:
    write_product(tmp_path / "product", {"a.txt": "ä", "deep/b.bin": b"\x00"})
    assert (tmp_path / "product/a.txt").read_text() == "ä"
    assert (tmp_path / "product/deep/b.bin").read_bytes() == b"\x00"


@pytest.mark.parametrize("product", [{"a": 1}, [1, 2], {}, "text"])
def test_anything_else_becomes_json(tmp_path: Path, product: object) -> None:
    write_product(tmp_path / "product", product)
    assert json.loads((tmp_path / "product/product.json").read_text()) == product


@pytest.mark.parametrize("name", ["../a", "/etc/a", "b/../../a"])
def test_names_outside_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ApplicationError, match="outside its folder"):
        write_product(tmp_path / "product", {name: "x"})


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(TypeError), replacing(path) as stream:
        stream.write("no bytes")  # type: ignore[call-overload]
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_driver_left_is_removed(tmp_path: Path) -> None:
    tmp_path.joinpath("product").mkdir()
    leftovers = [tmp_path / ".summary.json.partial", tmp_path / "product" / ".a.partial"]
    for path in leftovers:
        path.touch()
    remove_partials(tmp_path)
    assert not any(path.exists() for path in leftovers)


def test_letters_are_json_whatever_their_body(tmp_path: Path) -> None:
    history = (Attempt(attempt=1, kind="failed", reason="r", detail={"exit_code": 3}),)
    letter = DeadLetter(id="a", task="t", reason="r", history=history, body=b"\xff\x00")
    assert json.loads(letter_json(letter)) == {
        "id": "a",
        "task": "t",
        "reason": "r",
        "history": [{"attempt": 1, "kind": "failed", "reason": "r", "pilot": "", "host": "", "detail": {"exit_code": 3}}],
        "body": "_wA=",
    }
    write_dead_letters(tmp_path / "dead_letters.jsonl", [letter, letter])
    assert len((tmp_path / "dead_letters.jsonl").read_text().splitlines()) == 2

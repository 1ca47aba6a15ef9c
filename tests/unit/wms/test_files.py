"""Contents are kept once, under their sha256, and checked when they are fetched."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ewms.core.errors import InputError, StoreError
from ewms.core.service.files import FileDocument
from ewms.wms.files import Content, Files

DATA = b"content" * 1000
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(params=["folder", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    """In a folder, and at an fsspec URL."""
    return Files(str(tmp_path / "files") if request.param == "folder" else f"memory://{tmp_path}")


def test_bytes_and_files_of_one_content_are_one(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    assert files.put(DATA) == files.put_file(path) == files.put(DATA) == Content(SHA, len(DATA))
    with files.open(SHA) as stream:
        assert stream.read() == DATA


def test_a_content_is_fetched_to_where_there_is_no_folder_yet(files: Files, tmp_path: Path) -> None:
    files.put(DATA)
    files.fetch(SHA, tmp_path / "deep" / "copy")
    assert (tmp_path / "deep" / "copy").read_bytes() == DATA


def test_an_empty_content_is_one_too(files: Files, tmp_path: Path) -> None:
    content = files.put(b"")
    files.fetch(content.sha256, tmp_path / "copy")
    assert content.size == 0
    assert (tmp_path / "copy").read_bytes() == b""


def test_a_missing_content_is_told(files: Files, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"the content {SHA} is gone from the service's files; upload it again"):
        files.fetch(SHA, tmp_path / "copy")


def test_a_damaged_content_is_told(tmp_path: Path) -> None:
    files = Files(str(tmp_path / "files"))
    files.put(DATA)
    Path(files.path(SHA)).write_bytes(b"other")
    with pytest.raises(InputError, match="copy: the content kept for it is damaged"):
        files.fetch(SHA, tmp_path / "copy")


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="the service's files cannot be written"):
        Files(str(tmp_path / "files")).put(DATA)


def test_an_unknown_kind_of_url_is_told() -> None:
    with pytest.raises(StoreError, match=r"files URL nothing://x: .*; use a folder or an fsspec URL"):
        Files("nothing://x")


def test_nothing_half_written_is_left(files: Files, tmp_path: Path) -> None:
    files.put(DATA)
    if (tmp_path / "files").exists():
        assert [path.name for path in (tmp_path / "files").rglob("*") if path.is_file()] == [SHA]
    assert files.put(DATA).sha256 == SHA


def test_a_partial_product_has_a_place_of_its_own(files: Files) -> None:
    files.put(DATA)
    partials, others = files.of_partials("WF-1"), files.of_partials("WF-2")
    for place in (partials, others):
        assert place.put(DATA).sha256 == SHA
    kept = partials.put(b"newer").sha256
    partials.keep_only({kept})
    with pytest.raises(InputError, match="is gone"), partials.open(SHA):
        pass
    with partials.open(kept) as stream:
        assert stream.read() == b"newer"
    for place in (files, others):  # of the same content
        with place.open(SHA) as stream:
            assert stream.read() == DATA
    partials.keep_only(())
    partials.keep_only(())


def test_a_files_name_tells_where_its_content_is(files: Files) -> None:
    document = FileDocument(workflow_id="WF-1", name="partial/map.json", size=3, sha256=SHA)
    files.of_partials("WF-1").put(DATA)
    with files.holding(document).open(SHA) as stream:
        assert stream.read() == DATA
    with pytest.raises(InputError), files.holding(document.model_copy(update={"name": "product/map.json"})).open(SHA):
        pass
